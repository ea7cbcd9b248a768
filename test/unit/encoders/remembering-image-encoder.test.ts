import { expect, test } from 'vitest';
import type { ImageEncoder, ImageInput } from '../../../src/encoders/encoder.js';
import { RememberingImageEncoder } from '../../../src/encoders/remembering-image-encoder.js';

function countingEncoder() {
  const asked: ImageInput[] = [];
  const encoder: ImageEncoder = {
    name: 'counting',
    version: '1',
    dimension: 1,
    patchDimension: 0,
    encodeImages: async () => ({ vectors: { data: new Float32Array(0), rows: 0, columns: 1 } }),
    encodeQuery: async (image) => {
      asked.push(image);
      if (image === 'bad.png') throw new Error('unreadable');
      return { views: { data: new Float32Array(1), rows: 1, columns: 1 }, viewQuads: new Float32Array(8) };
    },
  };
  return { asked, encoder: new RememberingImageEncoder(encoder) };
}

test('the same picture is encoded once, another again', async () => {
  const { asked, encoder } = countingEncoder();
  const picture = new Uint8Array(3);
  const [first, second] = await Promise.all([encoder.encodeQuery(picture), encoder.encodeQuery(picture)]);
  expect(second).toBe(first);
  await encoder.encodeQuery(new Uint8Array(3));
  expect(asked).toHaveLength(2);
});

test('a failure is not remembered', async () => {
  const { asked, encoder } = countingEncoder();
  await expect(encoder.encodeQuery('bad.png')).rejects.toThrow('unreadable');
  await expect(encoder.encodeQuery('bad.png')).rejects.toThrow('unreadable');
  expect(asked).toHaveLength(2);
});
