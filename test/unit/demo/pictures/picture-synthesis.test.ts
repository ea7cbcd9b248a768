import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import { flagPath } from '../../../../src/demo/countries/flag-images.js';
import { synthesisePicture } from '../../../../src/demo/pictures/picture-synthesis.js';

const SIZE = { width: 240, height: 180 };

function widthOf(quad: Float32Array, width: number, height: number): number {
  return Math.hypot((quad[2]! - quad[0]!) * width, (quad[3]! - quad[1]!) * height) / width;
}

function angleOf(quad: Float32Array, width: number, height: number): number {
  return (Math.atan2((quad[3]! - quad[1]!) * height, (quad[2]! - quad[0]!) * width) / Math.PI) * 180;
}

describe('made pictures', () => {
  test('the same seed gives the same bytes, another seed another picture', async () => {
    const make = (seed: string) => synthesisePicture({ flagSvgPath: flagPath('FR'), seed, ...SIZE });
    const [first, again, other] = await Promise.all([make('a'), make('a'), make('b')]);
    expect(Buffer.compare(first.jpeg, again.jpeg)).toBe(0);
    expect([...first.quad]).toEqual([...again.quad]);
    expect(Buffer.compare(first.jpeg, other.jpeg)).not.toBe(0);
  });

  test('the size is the one asked for, or varies', async () => {
    const metadata = async (options: object, seed: number) =>
      sharp((await synthesisePicture({ flagSvgPath: flagPath('JP'), seed, ...options })).jpeg).metadata();
    expect(await metadata(SIZE, 1)).toMatchObject({ format: 'jpeg', ...SIZE });
    const shapes = new Set<string>();
    for (let seed = 0; seed < 6; seed++) {
      const { width, height } = await metadata({}, seed);
      expect(width).toBeGreaterThanOrEqual(320);
      expect(width).toBeLessThanOrEqual(640);
      shapes.add((width / height).toFixed(1));
    }
    expect(shapes.size).toBeGreaterThan(1);
  });

  test('flags lie inside, with widths and angles over their whole ranges', async () => {
    const widths: number[] = [];
    const angles: number[] = [];
    for (let seed = 0; seed < 60; seed++) {
      const size = { width: 120, height: 120 };
      const { quad } = await synthesisePicture({ flagSvgPath: flagPath('PL'), seed, ...size });
      expect(Math.min(...quad)).toBeGreaterThan(-0.001);
      expect(Math.max(...quad)).toBeLessThan(1.001);
      widths.push(widthOf(quad, size.width, size.height));
      angles.push(angleOf(quad, size.width, size.height));
    }
    expect(Math.min(...widths)).toBeGreaterThanOrEqual(0.449);
    expect(Math.min(...widths)).toBeLessThan(0.5);
    expect(Math.max(...widths)).toBeGreaterThan(0.75);
    expect(Math.max(...widths)).toBeLessThanOrEqual(0.801);
    expect(Math.min(...angles)).toBeLessThan(-11);
    expect(Math.max(...angles)).toBeGreaterThan(11);
    expect(Math.max(...angles.map(Math.abs))).toBeLessThanOrEqual(15.01);
  });

  test('the flag is where the quad says', async () => {
    const { jpeg, quad } = await synthesisePicture({
      flagSvgPath: flagPath('FR'),
      seed: 5,
      width: 480,
      height: 360,
    });
    const { data } = await sharp(jpeg).blur(3).raw().toBuffer({ resolveWithObject: true });
    const colour = (s: number, t: number): [number, number, number] => {
      const x = quad[0]! + s * (quad[2]! - quad[0]!) + t * (quad[6]! - quad[0]!);
      const y = quad[1]! + s * (quad[3]! - quad[1]!) + t * (quad[7]! - quad[1]!);
      const pixel = (Math.floor(y * 360) * 480 + Math.floor(x * 480)) * 3;
      return [data[pixel]!, data[pixel + 1]!, data[pixel + 2]!];
    };
    for (const t of [0.1, 0.5, 0.9]) {
      const [blueRed, , blueBlue] = colour(0.16, t);
      expect(blueBlue).toBeGreaterThan(blueRed + 30);
      const [whiteRed, , whiteBlue] = colour(0.5, t);
      expect(Math.abs(whiteRed - whiteBlue)).toBeLessThan(25);
      const [redRed, , redBlue] = colour(0.84, t);
      expect(redRed).toBeGreaterThan(redBlue + 30);
    }
  });

  test('there is noise of at least 8 of 255', async () => {
    const { jpeg, quad } = await synthesisePicture({
      flagSvgPath: flagPath('FR'),
      seed: 5,
      width: 480,
      height: 360,
    });
    const left = Math.round(((quad[0]! + quad[4]!) / 2) * 480) - 10;
    const top = Math.round(((quad[1]! + quad[5]!) / 2) * 360) - 10;
    const { channels } = await sharp(jpeg).extract({ left, top, width: 20, height: 20 }).stats();
    expect(channels[1]!.stdev).toBeGreaterThan(5);
  });
});
