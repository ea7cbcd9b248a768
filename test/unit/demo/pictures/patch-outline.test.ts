import sharp from 'sharp';
import { expect, test } from 'vitest';
import { outlinePatches } from '../../../../src/demo/pictures/patch-outline.js';

const GREY = { create: { width: 160, height: 120, channels: 3, background: '#808080' } } as const;

test('matched patches are outlined on both sides in one colour', async () => {
  const grey = await sharp(GREY).png().toBuffer();
  const drawn = await outlinePatches({
    picture: grey,
    entityImage: grey,
    matches: [
      {
        query: Float32Array.of(0.5, 0.5, 0.75, 0.5, 0.75, 0.75, 0.5, 0.75),
        entity: Float32Array.of(0, 0, 0.25, 0, 0.25, 0.25, 0, 0.25),
        similarity: 1,
      },
    ],
    joined: 1,
  });
  const { data, info } = await sharp(drawn).raw().toBuffer({ resolveWithObject: true });
  expect(info.height).toBe(384);
  const saturatedColumns = new Set<number>();
  for (let pixel = 0; pixel < info.width * info.height; pixel++) {
    const colours = [data[pixel * 3]!, data[pixel * 3 + 1]!, data[pixel * 3 + 2]!];
    if (Math.max(...colours) - Math.min(...colours) > 90) saturatedColumns.add(pixel % info.width);
  }
  const pictureWidth = 480;
  expect([...saturatedColumns].some((x) => x < pictureWidth)).toBe(true);
  expect([...saturatedColumns].some((x) => x > pictureWidth + 48)).toBe(true);
  expect([...saturatedColumns].some((x) => x < pictureWidth / 2 - 10)).toBe(false);
});

test('without matches both images are shown', async () => {
  const grey = await sharp(GREY).png().toBuffer();
  const drawn = await outlinePatches({ picture: grey, entityImage: grey, matches: [] });
  expect((await sharp(drawn).metadata()).format).toBe('jpeg');
});
