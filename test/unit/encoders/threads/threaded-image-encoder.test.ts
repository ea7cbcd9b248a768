import { afterAll, describe, expect, test, vi } from 'vitest';
import { flagPath } from '../../../../src/demo/countries/flag-images.js';
import { DescriptorImageEncoder } from '../../../../src/encoders/descriptor/descriptor-image-encoder.js';
import type { ImageEncoder } from '../../../../src/encoders/encoder.js';
import { imageEncoderInThreads } from '../../../../src/encoders/threads/threaded-image-encoder.js';
import { GranuleError } from '../../../../src/errors.js';
import { expectSameBits } from './expect-same-bits.js';

const FLAGS = ['FR', 'IT', 'MX', 'AU', 'NZ', 'JP', 'BR', 'NP', 'PL', 'ID', 'US'].map(flagPath);

const alone = new DescriptorImageEncoder();
const threaded = imageEncoderInThreads(alone, { threads: 2 });
afterAll(() => threaded.close());

const refusing = () => Promise.reject(new Error('on the calling thread'));
const fixture = (threads: number): ImageEncoder & AsyncDisposable =>
  imageEncoderInThreads(
    {
      name: 'fixture',
      version: '1',
      dimension: 2,
      patchDimension: 1,
      spec: {
        module: new URL('fixture-encoder.mjs', import.meta.url).href,
        export: 'FixtureImageEncoder',
        options: {},
      },
      encodeImages: refusing,
      encodeQuery: refusing,
    },
    { threads },
  );

describe('the descriptor encoder in threads', () => {
  test.each([0, 1, 11])('encodes %i images to the same bits', async (count) => {
    const images = FLAGS.slice(0, count);
    expectSameBits(await threaded.encodeImages(images), await alone.encodeImages(images));
  });

  test('looks at a picture, its patches and its refined views with the same bits', async () => {
    const [there, here] = await Promise.all([threaded.encodeQuery(FLAGS[2]!), alone.encodeQuery(FLAGS[2]!)]);
    expectSameBits(there.views, here.views);
    expectSameBits([there.viewQuads], [here.viewQuads]);
    expectSameBits(await there.patchesOf!([0, 5]), await here.patchesOf!([0, 5]));
    const { patches } = await alone.encodeImages(FLAGS.slice(1, 3));
    expectSameBits(await there.refine!([7, 3], patches!), await here.refine!([7, 3], patches!));
    expect(patches!.data.length).toBeGreaterThan(0);
    there.release!();
    await expect(there.patchesOf!([0])).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    there.release!();
  });

  test('names the first image that it cannot read', async () => {
    // Four to a call: the second call fails at once, before the first.
    const images = [...FLAGS.slice(0, 3), 'missing-1.png', 'missing-2.png', ...FLAGS];
    const error = await threaded.encodeImages(images).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(GranuleError);
    expect(error).toMatchObject({ code: 'FILE_NOT_FOUND', details: { file: 'missing-1.png' } });
    await expect(threaded.encodeQuery(Buffer.from('no image'))).rejects.toMatchObject({
      code: 'IMAGE_UNREADABLE',
    });
  });

  test('stops when told to', async () => {
    const controller = new AbortController();
    const all = threaded.encodeImages(FLAGS, { signal: controller.signal });
    const query = threaded.encodeQuery(FLAGS[0]!, { signal: controller.signal });
    setTimeout(() => controller.abort(), 5);
    await expect(all).rejects.toMatchObject({ code: 'ABORTED' });
    await expect(query).rejects.toMatchObject({ code: 'ABORTED' });
    expect((await threaded.encodeImages(FLAGS.slice(0, 1))).vectors.rows).toBe(1);
  });
});

describe('images as bytes', () => {
  test('stay the caller’s, and only they are sent', async () => {
    await using encoder = fixture(1);
    const memory = new Uint8Array(1 << 20).fill(1);
    const bytes = memory.subarray(100, 103);
    const buffer = Buffer.from([5, 6]);
    const { data } = (await encoder.encodeImages([bytes, buffer])).vectors;
    expect([data[0], data[2]]).toEqual([3, 11]);
    expect([...bytes, ...buffer]).toEqual([1, 1, 1, 5, 6]);
  });
});

describe('a query', () => {
  test('stays in its thread until it is released, and keeps its views there', async () => {
    await using encoder = fixture(3);
    const images = [1, 2, 3].map((value) => Uint8Array.of(value, value * 10));
    const queries = await Promise.all(images.map((image) => encoder.encodeQuery(image)));
    for (const [i, query] of queries.entries()) {
      expect((await query.patchesOf!([1, 0])).patches.data).toEqual(
        Float32Array.of(images[i]![1]!, images[i]![0]!),
      );
      expect(query.refine).toBeUndefined();
    }
  });

  test('is told when it is released, once', async () => {
    await using encoder = fixture(1);
    const released = async () => (await encoder.encodeImages([new Uint8Array()])).vectors.data[1];
    const query = await encoder.encodeQuery(Uint8Array.of(1));
    expect(await released()).toBe(0);
    query.release!();
    query.release!();
    expect(await released()).toBe(1);
  });

  test('that comes after its call was aborted is released', async () => {
    await using encoder = fixture(1);
    const released = async () => (await encoder.encodeImages([new Uint8Array()])).vectors.data[1];
    const controller = new AbortController();
    const late = encoder.encodeQuery(Uint8Array.of(255), { signal: controller.signal });
    expect(await released()).toBe(0);
    controller.abort();
    await expect(late).rejects.toMatchObject({ code: 'ABORTED' });
    await vi.waitFor(async () => expect(await released()).toBe(1), { interval: 10 });
  });

  test('cannot be asked once its thread has gone', async () => {
    const encoder = fixture(1);
    const query = await encoder.encodeQuery(Uint8Array.of(1));
    await encoder[Symbol.asyncDispose]();
    await expect(query.patchesOf!([0])).rejects.toMatchObject({ code: 'ENCODER_CLOSED' });
    query.release!();
  });
});
