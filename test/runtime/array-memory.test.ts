/** Where the memory of the caller's arrays may lie. */
import { describe, expect, it } from 'vitest';
import { FlatIndex, MultiVectorIndex, matrix, rowFilter, topKSoftmax } from '../../src/index.js';
import { Seeded } from '../conformance/seeded.js';

const dimension = 5;
const rows = new Seeded(1).normal(40 * dimension);
const queries = new Seeded(2).normal(3 * dimension);

/** Copies of an array whose memory lies in other places. */
const PLACES: [string, <T extends Float32Array | Uint32Array | Uint8Array>(array: T) => T][] = [
  ['a view with a byteOffset', (array) => copyInto(array, new ArrayBuffer(array.byteLength + 24), 12)],
  ['a SharedArrayBuffer', (array) => copyInto(array, new SharedArrayBuffer(array.byteLength), 0)],
  [
    'a view of a SharedArrayBuffer',
    (array) => copyInto(array, new SharedArrayBuffer(array.byteLength + 24), 8),
  ],
  [
    'the pool that Buffer uses',
    (array) => copyInto(array, Buffer.from(new ArrayBuffer(1 << 16)).buffer, 1 << 10),
  ],
  ['WebAssembly memory', (array) => copyInto(array, wasmMemory(), 64)],
];

function wasmMemory(): ArrayBuffer {
  const wasm = (
    globalThis as unknown as { WebAssembly: { Memory: new (o: object) => { buffer: ArrayBuffer } } }
  ).WebAssembly;
  return new wasm.Memory({ initial: 1 }).buffer;
}

function copyInto<T extends Float32Array | Uint32Array | Uint8Array>(
  array: T,
  buffer: ArrayBufferLike,
  byteOffset: number,
): T {
  const Kind = array.constructor as new (buffer: ArrayBufferLike, byteOffset: number, length: number) => T;
  const copy = new Kind(buffer, byteOffset, array.length);
  copy.set(array);
  return copy;
}

describe.each(PLACES)('arrays in %s', (_, place) => {
  it('serve a FlatIndex', async () => {
    const plain = new FlatIndex({ dimension });
    await plain.add(rows);
    const placed = new FlatIndex({ dimension });
    await placed.add(place(rows));
    const filter = rowFilter(40, [1, 2, 3, 5, 8, 13, 21, 34]);
    expect(await placed.search(place(queries), { k: 9, filter: place(filter) })).toEqual(
      await plain.search(queries, { k: 9, filter }),
    );
  });

  it('serve a MultiVectorIndex', async () => {
    const lengths = Uint32Array.of(10, 20, 1, 9);
    const plain = new MultiVectorIndex({ dimension });
    await plain.add(rows, lengths);
    const placed = new MultiVectorIndex({ dimension });
    await placed.add(place(rows), place(lengths));
    const options = { k: 3, candidates: Uint32Array.of(3, 0), lengths: Uint32Array.of(2, 1), explain: true };
    const expected = await plain.search(queries, options);
    const found = await placed.search(place(queries), {
      ...options,
      candidates: place(options.candidates),
      lengths: place(options.lengths),
    });
    expect(found.rows).toEqual(expected.rows);
    expect(found.scores).toEqual(expected.scores);
    expect(found.matchedVectors).toEqual(expected.matchedVectors);
  });

  it('serve topKSoftmax', async () => {
    expect(await topKSoftmax(place(rows), { k: 7 })).toEqual(await topKSoftmax(rows, { k: 7 }));
  });
});

describe('arrays', () => {
  it('a matrix serves as well as its data', async () => {
    const index = new FlatIndex({ dimension });
    await index.add(matrix(rows, dimension));
    expect(index.rows).toBe(40);
    expect(await index.search(matrix(queries, dimension), { k: 4 })).toEqual(
      await index.search(queries, { k: 4 }),
    );
  });

  it('an index keeps its own copy of what was added', async () => {
    const index = new FlatIndex({ dimension });
    const own = rows.slice();
    await index.add(own);
    const before = await index.search(queries, { k: 40 });
    own.fill(0);
    expect(await index.search(queries, { k: 40 })).toEqual(before);
  });

  it('lengths and candidates may change as soon as the call has returned', async () => {
    const index = new MultiVectorIndex({ dimension });
    const lengths = Uint32Array.of(10, 30);
    const added = index.add(rows, lengths);
    lengths.fill(0xffff_ffff);
    await added;
    const candidates = Uint32Array.of(1);
    const search = index.search(queries, { k: 1, candidates });
    candidates.fill(0xffff_ffff);
    expect((await search).rows[0]).toBe(1);
  });

  it('vectors that were transferred while the add waited are refused', async () => {
    const index = new FlatIndex({ dimension });
    const first = index.add(rows);
    const own = rows.slice();
    const second = index.add(own);
    structuredClone(own.buffer, { transfer: [own.buffer] });
    await first;
    await expect(second).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: expect.stringMatching('transferred'),
    });
    expect(index.rows).toBe(40);
  });

  it('of another realm are arrays too', async () => {
    const { runInNewContext } = await import('node:vm');
    const index = new FlatIndex({ dimension: 2 });
    await index.add(runInNewContext('Float32Array.of(1, 0, 0, 1)'));
    const hits = await index.search(runInNewContext('Float32Array.of(0, 1)'), runInNewContext('({ k: 2 })'));
    expect([...hits.rows]).toEqual([1, 0]);
  });
});
