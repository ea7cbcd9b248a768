import { stat } from 'node:fs/promises';
import { GranuleError } from '../../errors.js';
import type { ImageInput } from '../encoder.js';
import { loadSharp } from '../load-sharp.js';
import type { ImageRegion } from './patch-grid.js';

/** Kernels that scale an image. */
export type ResizeKernel = 'nearest' | 'linear' | 'cubic' | 'lanczos3';

/** Per channel red, green and blue, whatever the order in the tensor. */
export type PerChannel = readonly [number, number, number];

/** How a picture becomes a model's input: value = (byte x rescale - mean) / std. */
export interface ImagePreprocessing {
  /** Pixels of the input. */
  readonly width: number;
  readonly height: number;
  /**
   * `stretch` scales the whole picture to the input's size; `crop` scales its shorter edge to `shortestEdge` and takes
   * the middle.
   */
  readonly resize: 'stretch' | 'crop';
  /** Pixels of the shorter edge before a crop; at least the larger of width and height. */
  readonly shortestEdge: number;
  readonly kernel: ResizeKernel;
  readonly rescale: number;
  readonly mean: PerChannel;
  readonly std: PerChannel;
  readonly channelOrder: 'rgb' | 'bgr';
  /** Order of the tensor's dimensions: batch, channels, height, width; or channels last. */
  readonly layout: 'nchw' | 'nhwc';
}

/** A picture as a model's input, and the part of the picture that it shows. */
export interface PreprocessedImage {
  /** 3 x height x width or height x width x 3 values. */
  readonly values: Float32Array;
  readonly region: ImageRegion;
}

/** Pictures whose longer side is more than this many times the shorter one are refused where they would be cropped. */
const LARGEST_ASPECT = 64;

/**
 * Decodes a picture and prepares it. The orientation that EXIF states is applied, transparency lies on white, every
 * colour space and depth becomes 8-bit sRGB, of an animation the first frame is taken.
 *
 * @throws GranuleError `FILE_NOT_FOUND`, `IMAGE_UNREADABLE`; `details.image` names the file
 */
export async function preprocessImage(
  input: ImageInput,
  preprocessing: ImagePreprocessing,
): Promise<PreprocessedImage> {
  const name = typeof input === 'string' ? input : 'the given bytes';
  if (typeof input === 'string' && (await stat(input).catch(() => undefined)) === undefined) {
    throw new GranuleError('FILE_NOT_FOUND', `there is no file ${input}`, { image: name });
  }
  try {
    return await decode(input, name, preprocessing);
  } catch (error) {
    if (error instanceof GranuleError) throw error;
    const reason = error instanceof Error ? error.message.split('\n', 1)[0] : String(error);
    throw new GranuleError(
      'IMAGE_UNREADABLE',
      `cannot read the image ${name}: ${reason}`,
      { image: name },
      { cause: error },
    );
  }
}

async function decode(
  input: ImageInput,
  name: string,
  preprocessing: ImagePreprocessing,
): Promise<PreprocessedImage> {
  const { width, height, kernel } = preprocessing;
  const sharp = await loadSharp();
  const options = { failOn: 'truncated' } as const;
  const metadata = await sharp(input, options).metadata();
  const source = metadata.autoOrient;
  const scaled = scaledSize(source.width, source.height, name, preprocessing);
  const left = Math.floor((scaled.width - width) / 2);
  const top = Math.floor((scaled.height - height) / 2);
  // A vector image is drawn at the size that is wanted, not drawn small and then enlarged.
  const enlarged = Math.max(scaled.width / source.width, scaled.height / source.height);
  const density =
    metadata.format === 'svg'
      ? { density: Math.min(2400, Math.max(1, Math.ceil((metadata.density ?? 72) * enlarged))) }
      : {};
  const { data, info } = await sharp(input, { ...options, ...density })
    .autoOrient()
    .flatten({ background: '#ffffff' })
    .toColourspace('srgb')
    .resize(scaled.width, scaled.height, { fit: 'fill', kernel, fastShrinkOnLoad: false })
    .extract({ left, top, width, height })
    .removeAlpha()
    .raw({ depth: 'uchar' })
    .toBuffer({ resolveWithObject: true });
  return {
    values: toValues(data, info.channels, preprocessing),
    region: {
      left: left / scaled.width,
      top: top / scaled.height,
      right: (left + width) / scaled.width,
      bottom: (top + height) / scaled.height,
    },
  };
}

function scaledSize(
  width: number,
  height: number,
  name: string,
  preprocessing: ImagePreprocessing,
): { width: number; height: number } {
  if (preprocessing.resize === 'stretch') return { width: preprocessing.width, height: preprocessing.height };
  const shorter = Math.min(width, height);
  if (Math.max(width, height) > LARGEST_ASPECT * shorter) {
    throw new GranuleError('IMAGE_UNREADABLE', `the image ${name} is ${width} x ${height}: too narrow`, {
      image: name,
      width,
      height,
    });
  }
  const scale = (edge: number) => Math.floor((preprocessing.shortestEdge * edge) / shorter);
  return { width: scale(width), height: scale(height) };
}

function toValues(bytes: Uint8Array, channels: number, preprocessing: ImagePreprocessing): Float32Array {
  const { width, height, rescale, mean, std, channelOrder, layout } = preprocessing;
  const pixels = width * height;
  const values = new Float32Array(3 * pixels);
  const table = new Float32Array(256);
  for (let channel = 0; channel < 3; channel++) {
    for (let byte = 0; byte < 256; byte++) table[byte] = (byte * rescale - mean[channel]!) / std[channel]!;
    const place = channelOrder === 'rgb' ? channel : 2 - channel;
    const start = layout === 'nchw' ? place * pixels : place;
    const step = layout === 'nchw' ? 1 : 3;
    const from = Math.min(channel, channels - 1);
    for (let pixel = 0; pixel < pixels; pixel++) {
      values[start + pixel * step] = table[bytes[pixel * channels + from]!]!;
    }
  }
  return values;
}
