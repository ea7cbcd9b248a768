import { describe, expect, test } from 'vitest';
import type { ImageEncoder, ImageQuery } from '../../../../src/encoders/encoder.js';
import { type HeldQuery, serve } from '../../../../src/encoders/threads/image-encoder-service.js';

/** An encoder whose views are the image's bytes, and whose patches are its first view's number when they are asked to come. */
function watched() {
  const queries: ImageQuery[] = [];
  let come = () => {};
  const encoder = {
    name: 'watched',
    version: '1',
    dimension: 1,
    patchDimension: 1,
    encodeImages: () => Promise.reject(new Error('not asked')),
    encodeQuery: async (image) => {
      const data = Float32Array.from(image as Uint8Array);
      const query: ImageQuery = {
        views: { data, rows: data.length, columns: 1 },
        viewQuads: new Float32Array(data.length * 8).fill(data[0]!),
        patchesOf: async () => {
          await new Promise<void>((resolve) => {
            come = resolve;
          });
          const first = Float32Array.of(data[0]!);
          return {
            patches: { data: first, lengths: Uint32Array.of(1), columns: 1 },
            patchQuads: new Float32Array(8),
          };
        },
      };
      queries.push(query);
      return query;
    },
  } satisfies ImageEncoder;
  const { methods } = serve(encoder);
  const { signal } = new AbortController();
  const call = async (method: string, argument: unknown) => methods[method]!(argument as never, signal);
  return {
    queries,
    come: () => come(),
    call,
    encode: (...bytes: number[]) =>
      call('encodeQuery', { image: Uint8Array.from(bytes) }) as Promise<HeldQuery>,
  };
}

describe('the memory of queries in a thread', () => {
  test('is what later ones are sent in, once they are released', async () => {
    const { queries, call, encode } = watched();
    const first = await encode(1, 2);
    expect(first.views.data).toEqual(Float32Array.of(1, 2));
    expect(first.views.data).not.toBe(queries[0]!.views.data);
    await call('release', first.query);
    const other = await encode(3);
    const second = await encode(4, 5);
    expect(other.views.data).toEqual(Float32Array.of(3));
    expect(second.views.data).toEqual(Float32Array.of(4, 5));
    expect(second.views.data).toBe(queries[0]!.views.data);
    expect(second.viewQuads).toEqual(new Float32Array(16).fill(4));
    expect(second.viewQuads).toBe(queries[0]!.viewQuads);
    const third = await encode(6, 7);
    expect(third.views.data).not.toBe(second.views.data);
  });

  test('is not used again while a call still works with it', async () => {
    const { queries, call, come, encode } = watched();
    const first = await encode(1, 2);
    const patches = call('patchesOf', { query: first.query, views: [0] });
    await call('release', first.query);
    const second = await encode(3, 4);
    expect(second.views.data).not.toBe(queries[0]!.views.data);
    come();
    expect(await patches).toMatchObject({ patches: { data: Float32Array.of(1) } });
    expect((await encode(5, 6)).views.data).toBe(queries[0]!.views.data);
  });

  test('is kept for some queries only', async () => {
    const { queries, call, encode } = watched();
    const held = await Promise.all(Array.from({ length: 20 }, (_, i) => encode(i, i)));
    for (const { query } of held) await call('release', query);
    const before = new Set(queries.map(({ views }) => views.data));
    const after = await Promise.all(Array.from({ length: 20 }, (_, i) => encode(i, i)));
    expect(after.filter(({ views }) => before.has(views.data))).toHaveLength(4);
  });
});
