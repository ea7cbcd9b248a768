import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readPixelImage } from '../../../src/encoders/pixel-image.js';

const PIXELS = 4800;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'granule-pixels-'));
});

afterAll(() => rm(folder, { recursive: true, force: true }));

/** Left half red, right half blue. */
function twoColours(width = 80, height = 60) {
  const blue = sharp({ create: { width: width / 2, height, channels: 3, background: '#0000ff' } }).png();
  return blue
    .toBuffer()
    .then((input) =>
      sharp({ create: { width, height, channels: 3, background: '#ff0000' } }).composite([
        { input, left: width / 2, top: 0 },
      ]),
    );
}

async function colourAt(image: Uint8Array | string, x: number, y: number): Promise<number[]> {
  const { width, height, rgb } = await readPixelImage(image, PIXELS);
  const pixel = (Math.floor(y * height) * width + Math.floor(x * width)) * 3;
  return Array.from(rgb.subarray(pixel, pixel + 3), (value) => Math.round(value * 20) / 20);
}

describe('what is no readable image is refused with a code and its name', () => {
  test('a missing file', async () => {
    const path = join(folder, 'missing.png');
    await expect(readPixelImage(path, PIXELS)).rejects.toMatchObject({
      code: 'FILE_NOT_FOUND',
      details: { file: path },
    });
  });

  test('a folder, a text file and no bytes', async () => {
    const text = join(folder, 'text.png');
    await writeFile(text, 'this is no image');
    for (const input of [folder, text, new Uint8Array()]) {
      await expect(readPixelImage(input, PIXELS)).rejects.toMatchObject({ code: 'IMAGE_UNREADABLE' });
    }
    await expect(readPixelImage(text, PIXELS)).rejects.toThrow(text);
  });

  test.each(['png', 'jpeg'] as const)('a truncated %s', async (format) => {
    const noise = Buffer.from(Array.from({ length: 64 * 64 * 3 }, (_, i) => (i * 7919) % 251));
    const whole = await sharp(noise, { raw: { width: 64, height: 64, channels: 3 } })
      .toFormat(format)
      .toBuffer();
    const path = join(folder, `cut.${format}`);
    await writeFile(path, whole.subarray(0, whole.length >> 1));
    await expect(readPixelImage(whole, PIXELS)).resolves.toBeDefined();
    await expect(readPixelImage(path, PIXELS)).rejects.toMatchObject({
      code: 'IMAGE_UNREADABLE',
      details: { file: path },
    });
  });

  test('a picture far longer than wide', async () => {
    const strip = await sharp({ create: { width: 650, height: 10, channels: 3, background: '#fff' } })
      .png()
      .toBuffer();
    await expect(readPixelImage(strip, PIXELS)).rejects.toMatchObject({
      code: 'IMAGE_UNREADABLE',
      details: { width: 650, height: 10 },
    });
  });
});

describe('every kind of image becomes sRGB of the size wanted', () => {
  test('the shape is kept and the number of pixels is about what was asked for', async () => {
    const image = await readPixelImage(await (await twoColours(400, 100)).png().toBuffer(), PIXELS);
    expect(image.width / image.height).toBeCloseTo(4, 1);
    expect(image.width * image.height).toBeGreaterThan(0.95 * PIXELS);
    expect(image.width * image.height).toBeLessThan(1.05 * PIXELS);
    expect(image.rgb.length).toBe(image.width * image.height * 3);
  });

  test('the orientation of EXIF is applied', async () => {
    const turned = await (await twoColours()).jpeg().withMetadata({ orientation: 6 }).toBuffer();
    const image = await readPixelImage(turned, PIXELS);
    expect(image.width).toBeLessThan(image.height);
    expect(await colourAt(turned, 0.5, 0.1)).toEqual([1, 0, 0]);
    expect(await colourAt(turned, 0.5, 0.9)).toEqual([0, 0, 1]);
  });

  test('transparency lies on white', async () => {
    const clear = await sharp({ create: { width: 8, height: 8, channels: 4, background: '#ff000000' } })
      .png()
      .toBuffer();
    expect(await colourAt(clear, 0.5, 0.5)).toEqual([1, 1, 1]);
  });

  test('greyscale', async () => {
    const grey = await sharp({ create: { width: 8, height: 8, channels: 3, background: '#808080' } })
      .toColourspace('b-w')
      .png()
      .toBuffer();
    expect(await colourAt(grey, 0.5, 0.5)).toEqual([0.5, 0.5, 0.5]);
  });

  test('16 bits, and greyscale with transparency in 16 bits', async () => {
    const deep = await (await twoColours()).toColourspace('rgb16').png().toBuffer();
    expect((await sharp(deep).metadata()).depth).toBe('ushort');
    expect(await colourAt(deep, 0.9, 0.5)).toEqual([0, 0, 1]);
    const grey = await sharp({ create: { width: 8, height: 8, channels: 4, background: '#80808080' } })
      .toColourspace('grey16')
      .png()
      .toBuffer();
    const [level] = await colourAt(grey, 0.5, 0.5);
    expect(level).toBeGreaterThan(0.65);
    expect(level).toBeLessThan(0.85);
  });

  test('CMYK', async () => {
    const cmyk = await (await twoColours()).toColourspace('cmyk').jpeg().toBuffer();
    expect((await sharp(cmyk).metadata()).space).toBe('cmyk');
    const [red, green, blue] = await colourAt(cmyk, 0.1, 0.5);
    expect(red).toBeGreaterThan(0.7);
    expect(Math.max(green!, blue!)).toBeLessThan(0.35);
  });

  test('a single pixel', async () => {
    const pixel = await sharp({ create: { width: 1, height: 1, channels: 3, background: '#00ff00' } })
      .png()
      .toBuffer();
    expect(await colourAt(pixel, 0.5, 0.5)).toEqual([0, 1, 0]);
  });

  test('a small vector image is drawn sharp', async () => {
    const svg = Buffer.from(
      '<svg xmlns="http://www.w3.org/2000/svg" width="4" height="3"><rect width="2" height="3" fill="red"/></svg>',
    );
    const { width, rgb } = await readPixelImage(svg, PIXELS);
    const greens = Array.from({ length: width }, (_, x) => rgb[x * 3 + 1]!);
    expect(greens.filter((value) => value > 0.05 && value < 0.95).length).toBeLessThanOrEqual(4);
  });
});
