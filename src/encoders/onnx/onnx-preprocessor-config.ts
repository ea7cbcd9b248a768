import { GranuleError } from '../../errors.js';
import type { ImagePreprocessing, PerChannel, ResizeKernel } from './onnx-image-preprocessing.js';
import type { OnnxSession, OnnxValueInfo } from './onnx-session.js';

/** `resample` of a preprocessor_config.json: PIL's numbers. Box and Hamming have no equal here; linear is nearest. */
const KERNELS: Readonly<Record<number, ResizeKernel>> = {
  0: 'nearest',
  1: 'lanczos3',
  2: 'linear',
  3: 'cubic',
  4: 'linear',
  5: 'linear',
};

type Config = Readonly<Record<string, unknown>>;

/**
 * Puts together how pictures are prepared for a model: what the user says, else what `preprocessor_config.json` says,
 * else what the model's input says (its size and layout), else: stretch, linear, RGB, bytes scaled by 1/255. Mean and
 * standard deviation are never guessed: a wrong guess spoils every vector and nobody sees it.
 *
 * @throws GranuleError `INVALID_ARGUMENT` where mean, std or size stay unknown or are no numbers; `MODEL_INVALID` where
 * the model's input takes no such picture
 */
export function resolvePreprocessing(
  session: OnnxSession,
  input: OnnxValueInfo,
  config: Config | undefined,
  options: Partial<ImagePreprocessing>,
): ImagePreprocessing {
  const given = { ...fromConfig(config ?? {}), ...options };
  const { layout, height, width } = inputShape(session, input, given.layout);
  const preprocessing = {
    width: given.width ?? width,
    height: given.height ?? height,
    resize: given.resize ?? 'stretch',
    kernel: given.kernel ?? 'linear',
    rescale: given.rescale ?? 1 / 255,
    mean: given.mean,
    std: given.std,
    channelOrder: given.channelOrder ?? 'rgb',
    layout,
  };
  const { mean, std } = preprocessing;
  if (mean === undefined || std === undefined) {
    throw new GranuleError(
      'INVALID_ARGUMENT',
      `no preprocessor_config.json lies beside ${session.file}: give preprocessing.mean and preprocessing.std`,
      { file: session.file },
    );
  }
  const numbers = [...mean, ...std, preprocessing.rescale];
  if (mean.length !== 3 || std.length !== 3 || !numbers.every(Number.isFinite) || std.includes(0)) {
    throw new GranuleError(
      'INVALID_ARGUMENT',
      'preprocessing.mean and .std are three finite numbers each, std not 0',
      {
        file: session.file,
      },
    );
  }
  const shortestEdge = given.shortestEdge ?? Math.max(preprocessing.width ?? 0, preprocessing.height ?? 0);
  const size = { width: preprocessing.width, height: preprocessing.height, shortestEdge };
  for (const [name, value] of Object.entries(size)) {
    if (!Number.isSafeInteger(value) || value! < 1) {
      throw new GranuleError(
        'INVALID_ARGUMENT',
        `preprocessing.${name} must be a positive integer, got ${value}`,
        {
          file: session.file,
        },
      );
    }
  }
  const sized = { ...preprocessing, mean, std, shortestEdge, width: size.width!, height: size.height! };
  if (sized.resize === 'crop' && shortestEdge < Math.max(sized.width, sized.height)) {
    throw new GranuleError(
      'INVALID_ARGUMENT',
      `preprocessing.shortestEdge ${shortestEdge} is smaller than the crop of ${sized.width} x ${sized.height}`,
      { shortestEdge },
    );
  }
  if ((width ?? sized.width) !== sized.width || (height ?? sized.height) !== sized.height) {
    throw new GranuleError(
      'MODEL_INVALID',
      `the model ${session.file} has the wrong dimension in input '${input.name}': it takes ${width} x ${height} ` +
        `pixels, the preprocessing gives ${sized.width} x ${sized.height}`,
      { file: session.file, input: input.name },
    );
  }
  return sized;
}

/** The layout and size that the model's input states; a free dimension stays undefined. */
function inputShape(
  session: OnnxSession,
  { name, type, shape }: OnnxValueInfo,
  wanted: ImagePreprocessing['layout'] | undefined,
): { layout: ImagePreprocessing['layout']; width: number | undefined; height: number | undefined } {
  const invalid = (problem: string) =>
    new GranuleError(
      'MODEL_INVALID',
      `the model ${session.file} has ${problem} in input '${name}': ${type}[${shape?.join(',')}]; ` +
        'a float32 picture of 4 dimensions with 3 channels is wanted',
      { file: session.file, input: name },
    );
  if (type !== 'float32') throw invalid('the wrong type');
  if (shape?.length !== 4) throw invalid('the wrong rank');
  const layout = wanted ?? (shape[1] !== 3 && shape[3] === 3 ? 'nhwc' : 'nchw');
  const [channels, height, width] =
    layout === 'nchw' ? [shape[1], shape[2], shape[3]] : [shape[3], shape[1], shape[2]];
  if (typeof channels === 'number' && channels !== 3) throw invalid('the wrong dimension');
  const fixed = (size: number | string | undefined) => (typeof size === 'number' ? size : undefined);
  return { layout, width: fixed(width), height: fixed(height) };
}

/** What a preprocessor_config.json says. `do_...: false` switches its step off. */
function fromConfig(config: Config): Partial<ImagePreprocessing> {
  const crops = config['do_center_crop'] === true;
  const size = sizeOf(config['size'], crops);
  const crop = crops ? sizeOf(config['crop_size'], false) : {};
  const cropped = crops || size.shortestEdge !== undefined;
  const width = crop.width ?? size.width ?? size.shortestEdge;
  const height = crop.height ?? size.height ?? size.shortestEdge;
  const mean = perChannel(config['image_mean']);
  const std = perChannel(config['image_std']);
  const normalises = config['do_normalize'] !== false;
  const kernel = KERNELS[config['resample'] as number];
  const rescale = config['do_rescale'] === false ? 1 : config['rescale_factor'];
  return {
    ...(width === undefined ? {} : { width }),
    ...(height === undefined ? {} : { height }),
    ...(cropped ? { resize: 'crop' } : {}),
    ...(size.shortestEdge === undefined ? {} : { shortestEdge: size.shortestEdge }),
    ...(kernel === undefined ? {} : { kernel }),
    ...(typeof rescale === 'number' ? { rescale } : {}),
    ...(normalises ? {} : { mean: [0, 0, 0], std: [1, 1, 1] }),
    ...(normalises && mean !== undefined ? { mean } : {}),
    ...(normalises && std !== undefined ? { std } : {}),
    ...(config['do_flip_channel_order'] === true ? { channelOrder: 'bgr' } : {}),
  };
}

/** A size is a number (the shorter edge where a crop follows, else both), `{ shortest_edge }` or `{ height, width }`. */
function sizeOf(size: unknown, crops: boolean): { width?: number; height?: number; shortestEdge?: number } {
  if (typeof size === 'number') return crops ? { shortestEdge: size } : { width: size, height: size };
  if (typeof size !== 'object' || size === null) return {};
  const { width, height, shortest_edge: shortestEdge } = size as Record<string, unknown>;
  if (typeof shortestEdge === 'number') return { shortestEdge };
  return typeof width === 'number' && typeof height === 'number' ? { width, height } : {};
}

function perChannel(value: unknown): PerChannel | undefined {
  return Array.isArray(value) && value.length === 3 && value.every((item) => typeof item === 'number')
    ? (value as unknown as PerChannel)
    : undefined;
}
