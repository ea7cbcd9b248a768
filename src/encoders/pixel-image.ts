import { stat } from 'node:fs/promises';
import { GranuleError } from '../errors.js';
import type { ImageInput } from './encoder.js';
import { loadSharp } from './load-sharp.js';

/** A decoded picture: height x width pixels of red, green and blue, gamma-coded sRGB from 0 to 1, interleaved. */
export interface PixelImage {
  readonly width: number;
  readonly height: number;
  readonly rgb: Float32Array;
}

/** Makes an array of so many numbers, which may be any. */
export type Allocate = (length: number) => Float32Array;

/** Pictures whose longer side is more than this many times the shorter one are refused. */
const LARGEST_ASPECT = 64;

/**
 * Decodes an image file or its bytes and scales it to about `pixels` pixels, keeping its shape.
 *
 * The orientation that EXIF states is applied, transparency lies on white, and every colour space and depth becomes
 * 8-bit sRGB; of an animation the first frame is taken. Vector images are drawn at the size wanted.
 *
 * @param pixels - width times height of the result, roughly
 * @param allocate - makes the array of the pixels
 * @throws GranuleError `FILE_NOT_FOUND`; `IMAGE_UNREADABLE` for what is no image, is truncated, or is longer than 64
 *   times its width; `details.file` names the file
 */
export async function readPixelImage(
  input: ImageInput,
  pixels: number,
  allocate: Allocate = (length) => new Float32Array(length),
): Promise<PixelImage> {
  const name = typeof input === 'string' ? input : 'the given bytes';
  if (typeof input === 'string') {
    await requireFile(input);
  } else if (input.byteLength === 0) {
    throw new GranuleError('IMAGE_UNREADABLE', 'the image is empty', { file: name });
  }
  try {
    return await decode(input, name, pixels, allocate);
  } catch (error) {
    if (error instanceof GranuleError) {
      throw error;
    }
    const reason = error instanceof Error ? error.message.split('\n', 1)[0] : String(error);
    throw new GranuleError(
      'IMAGE_UNREADABLE',
      `cannot read the image ${name}: ${reason}`,
      { file: name },
      { cause: error },
    );
  }
}

async function requireFile(path: string): Promise<void> {
  const status = await stat(path).catch(() => undefined);
  if (status === undefined) {
    throw new GranuleError('FILE_NOT_FOUND', `there is no file ${path}`, { file: path });
  }
  if (!status.isFile()) {
    throw new GranuleError('IMAGE_UNREADABLE', `${path} is not a file`, { file: path });
  }
}

async function decode(
  input: ImageInput,
  name: string,
  pixels: number,
  allocate: Allocate,
): Promise<PixelImage> {
  const sharp = await loadSharp();
  const options = { failOn: 'truncated' } as const;
  const metadata = await sharp(input, options).metadata();
  const turned = (metadata.orientation ?? 1) >= 5;
  const width = turned ? metadata.height : metadata.width;
  const height = turned ? metadata.width : metadata.height;
  if (Math.max(width, height) > LARGEST_ASPECT * Math.min(width, height)) {
    throw new GranuleError('IMAGE_UNREADABLE', `the image ${name} is ${width} x ${height}: too narrow`, {
      file: name,
      width,
      height,
    });
  }
  const scale = Math.sqrt(pixels / (width * height));
  const scaledWidth = Math.max(1, Math.round(width * scale));
  const scaledHeight = Math.max(1, Math.round(height * scale));
  const density = metadata.format === 'svg' ? { density: svgDensity(metadata.density ?? 72, scale) } : {};
  const { data, info } = await sharp(input, { ...options, ...density })
    .autoOrient()
    .flatten({ background: '#ffffff' })
    .toColourspace('srgb')
    .resize(scaledWidth, scaledHeight, { fit: 'fill' })
    .removeAlpha()
    .raw({ depth: 'uchar' })
    .toBuffer({ resolveWithObject: true });
  const rgb = allocate(info.width * info.height * 3);
  for (let pixel = 0; pixel < info.width * info.height; pixel++) {
    for (let channel = 0; channel < 3; channel++) {
      rgb[pixel * 3 + channel] = data[pixel * info.channels + Math.min(channel, info.channels - 1)]! / 255;
    }
  }
  return { width: info.width, height: info.height, rgb };
}

/** Dots per inch at which a vector image comes out at the scaled size; the library takes 1 to 100000. */
function svgDensity(density: number, scale: number): number {
  return Math.min(2400, Math.max(1, Math.ceil(density * scale)));
}
