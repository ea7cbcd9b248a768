import sharp from 'sharp';
import type { SeededRandom } from '../../ranking/seeded-random.js';
import type { Placement } from './flag-placement.js';
import type { Canvas } from './picture-clutter.js';

/**
 * Takes a photograph of a canvas, which it changes: the whole is lit by a linear gradient that falls by up to 40 % across
 * what is lit, its brightness is multiplied by 0.75 to 1.2 and its saturation by 0.7 to 1.2, it is blurred (sigma 0.5
 * to 1.8 pixels at a width of 480), Gaussian noise of sigma 8 to 16 of 255 is added. Every number is drawn evenly
 * from its range.
 *
 * @returns a JPEG of quality 45 to 90
 */
export async function photograph(canvas: Canvas, lit: Placement, random: SeededRandom): Promise<Uint8Array> {
  const { width, height } = canvas;
  light(canvas, lit, random);
  blur(canvas, (random.uniform(0.5, 1.8) * width) / 480);
  const bytes = addNoise(canvas, random.uniform(8, 16), random);
  return sharp(bytes, { raw: { width, height, channels: 3 } })
    .jpeg({ quality: random.integer(45, 90) })
    .toBuffer();
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
