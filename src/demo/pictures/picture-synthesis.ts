import sharp from 'sharp';
import type { Quads } from '../../encoders/encoder.js';
import { SeededRandom } from '../../ranking/seeded-random.js';
import { type Canvas, paintClutter } from './picture-clutter.js';

/** What picture to make. */
export interface PictureOptions {
  readonly flagSvgPath: string;
  readonly seed: number | string;
  /** Pixels; where absent, width is drawn from 320 to 640. */
  readonly width?: number;
  /** Pixels; where absent, the shape is drawn from 4:3, 3:2, 16:9, 1:1 and 3:4. */
  readonly height?: number;
}

/** A made picture. */
export interface SynthesisedPicture {
  readonly jpeg: Uint8Array;
  /** Where the flag is: one quad. */
  readonly quad: Quads;
}

interface Placement {
  readonly centreX: number;
  readonly centreY: number;
  /** From the flag's centre to the middle of its right edge, and of its bottom edge, in pixels. */
  readonly right: readonly [number, number];
  readonly down: readonly [number, number];
}

/**
 * Makes a photograph-like picture of a flag: the same bytes for the same options, up to the installed image library.
 *
 * The flag stands wholly inside the picture on a cluttered ground (plain colours, gradients, stripes, checks, textures,
 * shapes), 45 to 80 % of the picture's width (less only where it would not fit), rotated within +-15 degrees, sheared
 * within +-0.12. Then the whole picture is lit by a linear gradient that falls by up to 40 % across the flag, its
 * brightness is multiplied by 0.75 to 1.2 and its saturation by 0.7 to 1.2, it is blurred (sigma 0.5 to 1.8 pixels at a
 * width of 480), Gaussian noise of sigma 8 to 16 of 255 is added, and it is stored as JPEG of quality 45 to 90. Every
 * number is drawn evenly from its range.
 */
export async function synthesisePicture(options: PictureOptions): Promise<SynthesisedPicture> {
  const random = new SeededRandom(options.seed);
  const drawnWidth = random.integer(320, 640);
  const drawnShape = random.pick([4 / 3, 4 / 3, 3 / 2, 16 / 9, 1, 3 / 4]);
  const width = options.width ?? drawnWidth;
  const height = options.height ?? Math.round(width / drawnShape);
  const canvas: Canvas = { width, height, pixels: new Float32Array(width * height * 3) };
  const placement = drawPlacement(canvas, random);
  paintClutter(canvas, random);
  await paintFlag(canvas, options.flagSvgPath, placement);
  light(canvas, placement, random);
  blur(canvas, (random.uniform(0.5, 1.8) * width) / 480);
  const bytes = addNoise(canvas, random.uniform(8, 16), random);
  const jpeg = await sharp(bytes, { raw: { width, height, channels: 3 } })
    .jpeg({ quality: random.integer(45, 90) })
    .toBuffer();
  return { jpeg, quad: quadOf(placement, canvas) };
}

function drawPlacement({ width, height }: Canvas, random: SeededRandom): Placement {
  const angle = (random.uniform(-15, 15) * Math.PI) / 180;
  const shear = random.uniform(-0.12, 0.12);
  let half = (random.uniform(0.45, 0.8) * width) / 2;
  const cosine = Math.cos(angle);
  const sine = Math.sin(angle);
  const right = [cosine, sine] as const;
  const down = [(shear * cosine - sine) * 0.75, (shear * sine + cosine) * 0.75] as const;
  const reachX = Math.abs(right[0]) + Math.abs(down[0]);
  const reachY = Math.abs(right[1]) + Math.abs(down[1]);
  half = Math.min(half, (0.49 * width) / reachX, (0.49 * height) / reachY);
  return {
    centreX: random.uniform(half * reachX, width - half * reachX),
    centreY: random.uniform(half * reachY, height - half * reachY),
    right: [right[0] * half, right[1] * half],
    down: [down[0] * half, down[1] * half],
  };
}

function quadOf({ centreX, centreY, right, down }: Placement, { width, height }: Canvas): Quads {
  const corners = [
    [-1, -1],
    [1, -1],
    [1, 1],
    [-1, 1],
  ] as const;
  return Float32Array.from(
    corners.flatMap(([u, v]) => [
      (centreX + u * right[0] + v * down[0]) / width,
      (centreY + u * right[1] + v * down[1]) / height,
    ]),
  );
}

async function paintFlag(canvas: Canvas, path: string, placement: Placement): Promise<void> {
  const { centreX, centreY, right, down } = placement;
  const flagWidth = Math.max(2, Math.round(2 * Math.hypot(right[0], right[1])));
  const flagHeight = Math.max(2, Math.round(2 * Math.hypot(down[0], down[1])));
  const flag = await sharp(path)
    .flatten({ background: '#fff' })
    .resize(flagWidth, flagHeight, { fit: 'fill' })
    .toColourspace('srgb')
    .removeAlpha()
    .raw()
    .toBuffer();
  const { width, height, pixels } = canvas;
  const determinant = right[0] * down[1] - right[1] * down[0];
  const reachX = Math.abs(right[0]) + Math.abs(down[0]) + 1;
  const reachY = Math.abs(right[1]) + Math.abs(down[1]) + 1;
  for (let y = Math.max(0, Math.floor(centreY - reachY)); y < Math.min(height, centreY + reachY); y++) {
    for (let x = Math.max(0, Math.floor(centreX - reachX)); x < Math.min(width, centreX + reachX); x++) {
      const dx = x + 0.5 - centreX;
      const dy = y + 0.5 - centreY;
      const column = (((dx * down[1] - dy * down[0]) / determinant + 1) / 2) * flagWidth - 0.5;
      const row = (((dy * right[0] - dx * right[1]) / determinant + 1) / 2) * flagHeight - 0.5;
      const coverage =
        clamp(column + 1) * clamp(flagWidth - column) * clamp(row + 1) * clamp(flagHeight - row);
      if (coverage > 0) {
        blend(pixels, (y * width + x) * 3, flag, flagWidth, flagHeight, column, row, coverage);
      }
    }
  }
}

/** Lays the flag's colour at a fractional place (bilinear) over one pixel. */
function blend(
  pixels: Float32Array,
  pixel: number,
  flag: Uint8Array,
  flagWidth: number,
  flagHeight: number,
  column: number,
  row: number,
  coverage: number,
): void {
  const x = Math.min(flagWidth - 1, Math.max(0, column));
  const y = Math.min(flagHeight - 1, Math.max(0, row));
  const left = Math.min(flagWidth - 2, Math.floor(x));
  const top = Math.min(flagHeight - 2, Math.floor(y));
  const u = x - left;
  const v = y - top;
  const upper = (top * flagWidth + left) * 3;
  const lower = upper + flagWidth * 3;
  for (let channel = 0; channel < 3; channel++) {
    const above = flag[upper + channel]! * (1 - u) + flag[upper + 3 + channel]! * u;
    const below = flag[lower + channel]! * (1 - u) + flag[lower + 3 + channel]! * u;
    const colour = above + (below - above) * v;
    pixels[pixel + channel] = pixels[pixel + channel]! * (1 - coverage) + colour * coverage;
  }
}

function light({ width, height, pixels }: Canvas, placement: Placement, random: SeededRandom): void {
  const fall = random.uniform(0, 0.4);
  const angle = random.uniform(0, 2 * Math.PI);
  const brightness = random.uniform(0.75, 1.2);
  const saturation = random.uniform(0.7, 1.2);
  const { right, down, centreX, centreY } = placement;
  const towardsX = Math.cos(angle);
  const towardsY = Math.sin(angle);
  const reach =
    Math.abs(right[0] * towardsX + right[1] * towardsY) + Math.abs(down[0] * towardsX + down[1] * towardsY);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const along = ((x - centreX) * towardsX + (y - centreY) * towardsY) / reach;
      const gain = brightness * (1 - fall * Math.min(1.5, Math.max(-0.5, (along + 1) / 2)));
      const pixel = (y * width + x) * 3;
      const red = Math.min(255, pixels[pixel]! * gain);
      const green = Math.min(255, pixels[pixel + 1]! * gain);
      const blue = Math.min(255, pixels[pixel + 2]! * gain);
      const grey = 0.299 * red + 0.587 * green + 0.114 * blue;
      pixels[pixel] = grey + saturation * (red - grey);
      pixels[pixel + 1] = grey + saturation * (green - grey);
      pixels[pixel + 2] = grey + saturation * (blue - grey);
    }
  }
}

/** Gaussian blur, along the rows and then along the columns, with the border repeated. */
function blur({ width, height, pixels }: Canvas, sigma: number): void {
  const radius = Math.max(1, Math.ceil(2.5 * sigma));
  const kernel = gaussianKernel(radius, sigma);
  const rowLength = width * 3;
  const padded = new Float32Array((width + 2 * radius) * 3);
  const blurred = new Float32Array(pixels.length);
  for (let start = 0; start < pixels.length; start += rowLength) {
    padded.set(pixels.subarray(start, start + rowLength), radius * 3);
    for (let i = 0; i < radius * 3; i++) {
      padded[i] = pixels[start + (i % 3)]!;
      padded[padded.length - 1 - i] = pixels[start + rowLength - 1 - (i % 3)]!;
    }
    for (let i = 0; i < rowLength; i++) {
      let sum = 0;
      for (let tap = 0; tap < kernel.length; tap++) {
        sum += kernel[tap]! * padded[i + tap * 3]!;
      }
      blurred[start + i] = sum;
    }
  }
  pixels.fill(0);
  for (let y = 0; y < height; y++) {
    for (let tap = 0; tap < kernel.length; tap++) {
      const weight = kernel[tap]!;
      const from = Math.min(height - 1, Math.max(0, y + tap - radius)) * rowLength;
      for (let i = 0; i < rowLength; i++) {
        pixels[y * rowLength + i]! += weight * blurred[from + i]!;
      }
    }
  }
}

function gaussianKernel(radius: number, sigma: number): Float32Array {
  const weights = Array.from({ length: 2 * radius + 1 }, (_, i) =>
    Math.exp(-((i - radius) ** 2) / (2 * sigma ** 2)),
  );
  const sum = weights.reduce((total, weight) => total + weight, 0);
  return Float32Array.from(weights, (weight) => weight / sum);
}

function addNoise({ pixels }: Canvas, sigma: number, random: SeededRandom): Uint8ClampedArray {
  const bytes = new Uint8ClampedArray(pixels.length);
  for (let i = 0; i < pixels.length; i++) {
    bytes[i] = pixels[i]! + sigma * random.normal();
  }
  return bytes;
}

function clamp(value: number): number {
  return Math.min(1, Math.max(0, value));
}
