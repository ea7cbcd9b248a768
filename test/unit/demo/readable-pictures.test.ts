import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { requireReadablePictures } from '../../../src/demo/readable-pictures.js';
import { temporaryFolder } from '../corpus/temporary-folder.js';

/** A noisy picture, so that much of its file is pixels. */
const jpeg = (): Promise<Buffer> =>
  sharp({
    create: {
      width: 640,
      height: 480,
      channels: 3,
      background: 'grey',
      noise: { type: 'gaussian', mean: 128, sigma: 40 },
    },
  })
    .jpeg()
    .toBuffer();

async function pictures(files: Readonly<Record<string, Uint8Array | string>>) {
  const folder = temporaryFolder();
  return Object.entries(files).map(([name, bytes]) => {
    writeFileSync(join(folder, name), bytes);
    return { file: join(folder, name), cca2: 'FR' };
  });
}

describe('requireReadablePictures', () => {
  it('passes pictures of every format that is read, also twice', async () => {
    const good = await jpeg();
    const svg = '<svg xmlns="http://www.w3.org/2000/svg" width="8" height="8"></svg>';
    const all = await pictures({ 'a.jpg': good, 'b.png': await sharp(good).png().toBuffer(), 'c.svg': svg });
    await requireReadablePictures([...all, ...all]);
  });

  it.each<[string, () => Promise<Uint8Array | string>]>([
    ['is no image', async () => 'no image'],
    ['is empty', async () => ''],
    ['is cut short', async () => (await jpeg()).subarray(0, 20_000)],
    ['breaks off within its header', async () => (await jpeg()).subarray(0, 100)],
    [
      'is too narrow',
      () =>
        sharp({ create: { width: 650, height: 10, channels: 3, background: 'red' } })
          .png()
          .toBuffer(),
    ],
  ])('names a picture that %s', async (_, bytes) => {
    const all = await pictures({
      'good.jpg': await jpeg(),
      'bad.jpg': await bytes(),
      'end.jpg': await jpeg(),
    });
    await expect(requireReadablePictures(all)).rejects.toMatchObject({
      code: 'IMAGE_UNREADABLE',
      message: expect.stringMatching(/^[^;]*bad\.jpg[^;]*$/),
      details: { file: all[1]!.file, files: [all[1]!.file] },
    });
  });

  it('names the first of many, and says how many more there are', async () => {
    const all = await pictures(Object.fromEntries(Array.from({ length: 7 }, (_, i) => [`p${i}.jpg`, 'x'])));
    await expect(requireReadablePictures(all)).rejects.toMatchObject({
      message: expect.stringMatching(/^[^;]*p0\.jpg[^;]*; .*p4\.jpg[^;]*; and 2 more$/),
      details: { files: all.map(({ file }) => file) },
    });
  });

  it('stops when told to', async () => {
    const all = await pictures({ 'a.jpg': 'x' });
    const work = requireReadablePictures(all, AbortSignal.abort());
    await expect(work).rejects.toMatchObject({ code: 'ABORTED' });
  });
});
