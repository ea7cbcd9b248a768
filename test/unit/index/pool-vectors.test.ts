import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Metric, matrix, type PooledVectors, poolVectors } from '../../../src/index.js';
import { normalised, rowOf } from '../../conformance/oracle.js';
import { Seeded } from '../../conformance/seeded.js';

const METHODS = ['ward', 'kmeans'] as const;

function vectorsOf(count: number, dimension: number, seed: number): Float32Array {
  const random = new Seeded(seed);
  return Float32Array.from({ length: count * dimension }, () => random.next() / 2 ** 31 - 1);
}

/** Rows of each pooled vector. */
function groupsOf({ members: { offsets, rows } }: PooledVectors): number[][] {
  return Array.from({ length: offsets.length - 1 }, (_, p) => [...rows.subarray(offsets[p], offsets[p + 1])]);
}

function distance(a: Float32Array, b: Float32Array): number {
  return Math.hypot(...Array.from(a, (value, i) => value - b[i]!));
}

const finite = fc.oneof(
  fc.float({ noNaN: true, noDefaultInfinity: true }),
  fc.float({ noNaN: true, min: -1, max: 1 }),
  fc.constantFrom(0, -0, 1, 1e30, -1e30, 1e-40),
);

const documents = fc
  .record({
    dimension: fc.integer({ min: 1, max: 11 }),
    lengths: fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 1, maxLength: 4 }),
    method: fc.constantFrom(...METHODS),
    metric: fc.constantFrom<Metric>('ip', 'cosine', 'l2'),
    factor: fc.constantFrom(1, 1.5, 2, 3, 100),
    protect: fc.constantFrom(0, 1, 3),
  })
  .chain((shape) => {
    const length = shape.dimension * shape.lengths.reduce((a, b) => a + b, 0);
    return fc.record({
      shape: fc.constant(shape),
      values: fc.array(finite, { minLength: length, maxLength: length }),
    });
  });

describe('poolVectors', () => {
  it.each(METHODS)('%s puts like with like', async (method) => {
    const vectors = Float32Array.of(0, 0, 10, 10, 0, 1, 10, 11, 20, 0, 7, 7, 7, 7);
    const pooled = await poolVectors(vectors, Uint32Array.of(5, 2), { dimension: 2, method, count: 3 });
    expect(groupsOf(pooled)).toEqual([[0, 2], [1, 3], [4], [5], [6]]);
    expect(pooled.lengths).toEqual(Uint32Array.of(3, 2));
    expect(pooled.vectors).toEqual(matrix(Float32Array.of(0, 0.5, 10, 10.5, 20, 0, 7, 7, 7, 7), 2));
    expect([...pooled.radii].map((radius) => radius.toFixed(5))).toEqual(
      [0.5, 0.5, 0, 0, 0].map((radius) => radius.toFixed(5)),
    );
    expect(pooled.metric).toBe('ip');
  });

  it('the members of a document are all its rows, each once, and its groups come by their lowest', async () => {
    await fc.assert(
      fc.asyncProperty(documents, async ({ shape, values }) => {
        const { lengths, ...options } = shape;
        const pooled = await poolVectors(Float32Array.from(values), Uint32Array.from(lengths), options);
        const groups = groupsOf(pooled);
        expect(groups).toHaveLength(pooled.vectors.rows);
        expect(pooled.radii).toHaveLength(pooled.vectors.rows);
        let [group, row] = [0, 0];
        for (const [document, length] of lengths.entries()) {
          const alone = Math.min(length, options.protect);
          const most = alone + Math.ceil((length - alone) / options.factor);
          const own = groups.slice(group, group + pooled.lengths[document]!);
          if (options.method === 'ward') expect(own).toHaveLength(most);
          expect(own.length).toBeLessThanOrEqual(most);
          for (let i = 0; i < alone; i++) expect(own[i]).toEqual([row + i]);
          expect(own.map(([lowest]) => lowest)).toEqual(own.map(([lowest]) => lowest!).sort((a, b) => a - b));
          expect(own.flat().sort((a, b) => a - b)).toEqual(Array.from({ length }, (_, i) => row + i));
          for (const rows of own) expect(rows).toEqual([...rows].sort((a, b) => a - b));
          group += own.length;
          row += length;
        }
        expect(group).toBe(groups.length);
      }),
    );
  });

  it('every member lies within the radius, and the radius is no larger than need be', async () => {
    await fc.assert(
      fc.asyncProperty(documents, async ({ shape, values }) => {
        const { lengths, ...options } = shape;
        const { dimension, metric } = options;
        const vectors = Float32Array.from(values);
        const pooled = await poolVectors(vectors, Uint32Array.from(lengths), options);
        for (const [p, rows] of groupsOf(pooled).entries()) {
          const centroid = rowOf(pooled.vectors.data, p, dimension);
          const members = rows.map((row) => rowOf(vectors, row, dimension));
          const kept = metric === 'cosine' ? members.map(normalised) : members;
          const greatest = Math.max(...kept.map((member) => distance(member, centroid)));
          const radius = pooled.radii[p]!;
          expect(radius).toBeGreaterThanOrEqual(greatest * (1 - 1e-15));
          if (rows.length === 1) {
            expect(radius).toBe(0);
            expect(centroid).toEqual(kept[0]);
          } else if (Number.isFinite(radius)) {
            expect(radius).toBeLessThanOrEqual(greatest * (1 + 2e-7) + 1.5e-45);
          }
        }
      }),
    );
  });

  it('a pooled vector is the mean of its members, for cosine at unit length', async () => {
    const vectors = Float32Array.of(3, 0, 0, 4);
    const means = await Promise.all(
      (['ip', 'cosine'] as const).map((metric) =>
        poolVectors(vectors, Uint32Array.of(2), { dimension: 2, metric, method: 'ward', count: 1 }),
      ),
    );
    expect(means[0]!.vectors.data).toEqual(Float32Array.of(1.5, 2));
    expect(means[1]!.vectors.data).toEqual(Float32Array.of(Math.SQRT1_2, Math.SQRT1_2));
  });

  it('opposite vectors have a mean of zero, which stays zero', async () => {
    const options = { dimension: 2, metric: 'cosine', method: 'ward', count: 1 } as const;
    const pooled = await poolVectors(Float32Array.of(1, 0, -1, 0), Uint32Array.of(2), options);
    expect(pooled.vectors.data).toEqual(Float32Array.of(0, 0));
    expect(pooled.radii[0]).toBeCloseTo(1, 6);
  });

  it.each(METHODS)('%s with factor 1, or a count that suffices, keeps every vector', async (method) => {
    const vectors = vectorsOf(9, 5, 1);
    for (const how of [{ factor: 1 }, { count: 6 }, { count: 3, protect: 2 }]) {
      const lengths = Uint32Array.of(...(how.protect ? [3, 3, 3] : [6, 2, 1]));
      const pooled = await poolVectors(vectors, lengths, { dimension: 5, method, ...how });
      expect(pooled.vectors.data).toEqual(vectors);
      expect(pooled.lengths).toEqual(lengths);
      expect(pooled.radii.every((radius) => radius === 0)).toBe(true);
    }
  });

  it('a count includes the protected vectors', async () => {
    const vectors = vectorsOf(20, 3, 2);
    const options = { dimension: 3, method: 'ward', count: 6, protect: 2 } as const;
    const pooled = await poolVectors(vectors, Uint32Array.of(19, 1), options);
    expect([...pooled.lengths]).toEqual([6, 1]);
    expect(groupsOf(pooled).slice(0, 2)).toEqual([[0], [1]]);
  });

  it('equal vectors: ward keeps as many as asked for, kmeans one', async () => {
    const vectors = new Float32Array(24).fill(0.3);
    const lengths = Uint32Array.of(8);
    for (const [method, expected] of [
      ['ward', 4],
      ['kmeans', 1],
    ] as const) {
      const pooled = await poolVectors(vectors, lengths, { dimension: 3, method, factor: 2 });
      expect([...pooled.lengths]).toEqual([expected]);
      expect(pooled.vectors.data).toEqual(new Float32Array(3 * expected).fill(0.3));
      expect(pooled.radii.every((radius) => radius === 0)).toBe(true);
    }
  });

  it.each(METHODS)(
    '%s gives the same for every number of threads, and for a document alone',
    async (method) => {
      const lengths = Uint32Array.from({ length: 20 }, (_, i) => 1 + ((i * 7) % 30));
      const count = lengths.reduce((a, b) => a + b);
      const vectors = vectorsOf(count, 12, 3);
      const options = { dimension: 12, method, factor: 3, metric: 'cosine' } as const;
      const expected = await poolVectors(vectors, lengths, { ...options, threads: 1 });
      for (const threads of [2, 3, 8]) {
        expect(await poolVectors(vectors, lengths, { ...options, threads })).toEqual(expected);
      }
      const last = vectors.subarray((count - lengths[19]!) * 12);
      const alone = await poolVectors(last, lengths.subarray(19), options);
      expect(alone.vectors.data).toEqual(
        expected.vectors.data.subarray(expected.vectors.data.length - alone.vectors.data.length),
      );
    },
  );

  it('reads an array at its offset, takes a matrix, and no document at all', async () => {
    const options = { dimension: 1, method: 'ward', count: 1 } as const;
    const vectors = Float32Array.of(99, 1, 3).subarray(1);
    const pooled = await poolVectors(matrix(vectors, 1), Uint32Array.of(2), options);
    expect([...pooled.vectors.data]).toEqual([2]);
    const none = await poolVectors(new Float32Array(0), new Uint32Array(0), options);
    expect(none.vectors).toEqual(matrix(new Float32Array(0), 1));
    expect(none.members).toEqual({ offsets: Uint32Array.of(0), rows: new Uint32Array(0) });
  });

  it.each([
    ['INVALID_ARGUMENT', { method: 'mean' }],
    ['INVALID_ARGUMENT', { method: 'toString' }],
    ['INVALID_ARGUMENT', { metric: 'dot' }],
    ['INVALID_ARGUMENT', { factor: 0.5 }],
    ['INVALID_ARGUMENT', { factor: Number.NaN }],
    ['INVALID_ARGUMENT', { factor: undefined }],
    ['INVALID_ARGUMENT', { count: 2 }],
    ['INVALID_ARGUMENT', { factor: undefined, count: 0 }],
    ['INVALID_ARGUMENT', { factor: undefined, count: 1.5 }],
    ['INVALID_ARGUMENT', { factor: undefined, count: 2, protect: 2 }],
    ['INVALID_ARGUMENT', { protect: -1 }],
    ['INVALID_ARGUMENT', { threads: -1 }],
    ['INVALID_ARGUMENT', { signal: 1 }],
    ['INVALID_ARGUMENT', { pooling: 1 }],
    ['DIMENSION_INVALID', { dimension: 0 }],
    ['LENGTH_MISMATCH', { dimension: 5 }],
    ['LENGTH_MISMATCH', { dimension: 1 }],
  ])('refuses with %s: %j', async (code, wrong) => {
    const options = { dimension: 2, method: 'ward', factor: 2, ...wrong } as never;
    await expect(poolVectors(new Float32Array(8), Uint32Array.of(1, 3), options)).rejects.toMatchObject({
      code,
    });
  });

  it('refuses empty documents, values that are not finite, and documents too long for ward, with their place', async () => {
    const options = { dimension: 2, method: 'ward', factor: 2 } as const;
    await expect(poolVectors(new Float32Array(4), Uint32Array.of(2, 0), options)).rejects.toMatchObject({
      code: 'EMPTY_DOCUMENT',
      details: { row: 1 },
    });
    const vectors = new Float32Array(12);
    vectors[9] = Number.POSITIVE_INFINITY;
    await expect(poolVectors(vectors, Uint32Array.of(1, 5), options)).rejects.toMatchObject({
      code: 'NOT_FINITE',
      details: { row: 4, column: 1 },
    });
    const long = 16_385;
    await expect(
      poolVectors(new Float32Array(long), Uint32Array.of(long), { ...options, dimension: 1 }),
    ).rejects.toMatchObject({ code: 'INVALID_ARGUMENT', details: { row: 0 } });
  });

  it.each(METHODS)('%s stops when it is aborted', async (method) => {
    const controller = new AbortController();
    const vectors = vectorsOf(4_000, 64, 4);
    const pooling = poolVectors(vectors, Uint32Array.of(4_000), {
      dimension: 64,
      method,
      factor: 2,
      signal: controller.signal,
    });
    setTimeout(() => controller.abort(new Error('enough')), 5);
    await expect(pooling).rejects.toMatchObject({ code: 'ABORTED', cause: new Error('enough') });
  });
});

const file = path.resolve(
  import.meta.dirname,
  '../../../../shared/data/cranfield/minilm384_doc_embeddings.npy',
);
const present = existsSync(file);
describe.skipIf(!present)(`sentence embeddings${present ? '' : ' (skipped: shared/data is absent)'}`, () => {
  it.each(METHODS)('%s groups like better than neighbours by place, and within the radii', async (method) => {
    const bytes = readFileSync(file);
    const dimension = 384;
    const count = 800;
    const start = 10 + bytes.readUInt16LE(8);
    const vectors = new Float32Array(
      Uint8Array.from(bytes.subarray(start, start + count * dimension * 4)).buffer,
    );
    const lengths = new Uint32Array(4).fill(200);
    const options = { dimension, metric: 'cosine', method, factor: 4 } as const;
    const pooled = await poolVectors(vectors, lengths, options);
    expect([...pooled.lengths]).toEqual([50, 50, 50, 50]);
    let [near, byPlace] = [0, 0];
    for (const [p, rows] of groupsOf(pooled).entries()) {
      for (const row of rows) {
        const member = normalised(rowOf(vectors, row, dimension));
        const apart = distance(member, rowOf(pooled.vectors.data, p, dimension));
        expect(apart).toBeLessThanOrEqual(pooled.radii[p]! * (1 + 1e-15));
        near += apart;
        byPlace += distance(member, normalised(rowOf(vectors, row - (row % 4), dimension)));
      }
    }
    expect(near).toBeLessThan(0.9 * byPlace);
  });
});
