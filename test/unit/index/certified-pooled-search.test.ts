import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { certifiedPooledSearch, MultiVectorIndex, PooledBounds, poolVectors } from '../../../src/index.js';
import { Seeded } from '../../conformance/seeded.js';

interface Collection {
  vectors: Float32Array;
  lengths: Uint32Array;
  dimension: number;
  metric: 'ip' | 'cosine';
}

async function indexOf({ vectors, lengths, dimension, metric }: Collection): Promise<MultiVectorIndex> {
  const index = new MultiVectorIndex({ dimension, metric });
  await index.add(vectors, lengths);
  return index;
}

async function boundsOf(
  { vectors, lengths, dimension, metric }: Collection,
  { method, factor }: { method: 'ward' | 'kmeans'; factor: number },
): Promise<PooledBounds> {
  return PooledBounds.create(await poolVectors(vectors, lengths, { dimension, metric, method, factor }));
}

/** Documents around a point of their own each, so that groups are tight and documents far apart. */
function clustered(documents: number, length: number, dimension: number, spread: number): Collection {
  const random = new Seeded(7);
  const uniform = () => random.next() / 2 ** 31 - 1;
  const vectors = new Float32Array(documents * length * dimension);
  for (let document = 0; document < documents; document++) {
    const centre = Array.from({ length: dimension }, uniform);
    for (let i = 0; i < length * dimension; i++) {
      vectors[document * length * dimension + i] = centre[i % dimension]! + spread * uniform();
    }
  }
  const lengths = new Uint32Array(documents).fill(length);
  return { vectors, lengths, dimension, metric: 'cosine' };
}

const value = fc.oneof(
  fc.integer({ min: -2, max: 2 }),
  fc.float({ noNaN: true, min: -1, max: 1 }),
  fc.constantFrom(1e18, -1e18, 1e-30, 1e-42),
);
const cases = fc
  .record({
    dimension: fc.integer({ min: 1, max: 9 }),
    lengths: fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 1, maxLength: 12 }),
    metric: fc.constantFrom<'ip' | 'cosine'>('ip', 'cosine'),
    method: fc.constantFrom<'ward' | 'kmeans'>('ward', 'kmeans'),
    factor: fc.constantFrom(1, 2, 4),
    queries: fc.integer({ min: 1, max: 4 }),
    k: fc.integer({ min: 1, max: 12 }),
  })
  .chain((shape) => {
    const rows = shape.lengths.reduce((a, b) => a + b, 0) + shape.queries;
    const size = rows * shape.dimension;
    return fc.record({
      shape: fc.constant(shape),
      values: fc.array(value, { minLength: size, maxLength: size }),
    });
  });

describe('certifiedPooledSearch', () => {
  it('finds the rows and scores of the exhaustive search, bit for bit', async () => {
    await fc.assert(
      fc.asyncProperty(cases, async ({ shape, values }) => {
        const { dimension, metric, queries } = shape;
        const query = Float32Array.from(values.slice(0, queries * dimension));
        const vectors = Float32Array.from(values.slice(queries * dimension));
        const collection = { vectors, lengths: Uint32Array.from(shape.lengths), dimension, metric };
        const k = Math.min(shape.k, shape.lengths.length);
        const index = await indexOf(collection);
        using bounds = await boundsOf(collection, shape);
        const expected = await index.search(query, { k });
        const hits = await certifiedPooledSearch(index, bounds, query, { k });
        expect(hits.rows).toEqual(expected.rows);
        expect(hits.scores).toEqual(expected.scores);
        expect(hits.counts).toEqual(expected.counts);
        index.dispose();
      }),
      { numRuns: 300 },
    );
  });

  it('no bound is below the score of its document', async () => {
    await fc.assert(
      fc.asyncProperty(cases, async ({ shape, values }) => {
        const { dimension, metric, queries } = shape;
        const query = Float32Array.from(values.slice(0, queries * dimension));
        const vectors = Float32Array.from(values.slice(queries * dimension));
        const collection = { vectors, lengths: Uint32Array.from(shape.lengths), dimension, metric };
        const index = await indexOf(collection);
        using bounds = await boundsOf(collection, shape);
        const exact = await index.search(query, { k: index.rows });
        const bounded = await bounds.search(query, index.rows);
        const boundOf = new Map(Array.from(bounded.rows, (row, place) => [row, bounded.scores[place]!]));
        for (const [place, row] of exact.rows.entries()) {
          expect(boundOf.get(row)).toBeGreaterThanOrEqual(exact.scores[place]!);
        }
        index.dispose();
      }),
      { numRuns: 300 },
    );
  });

  it('leaves most documents unscored where groups are tight', async () => {
    const collection = clustered(2_000, 12, 16, 0.05);
    const index = await indexOf(collection);
    const bounds = await boundsOf(collection, { method: 'ward', factor: 4 });
    const query = collection.vectors.slice(0, 3 * 16);
    const hits = await certifiedPooledSearch(index, bounds, query, { k: 5 });
    const expected = await index.search(query, { k: 5 });
    expect([hits.rows, hits.scores]).toEqual([expected.rows, expected.scores]);
    const { thresholds, rowsScanned, rowsRescored } = hits.certificate;
    expect([...thresholds]).toEqual([hits.scores[4]]);
    expect(rowsScanned).toBe(2_000);
    expect(rowsRescored[0]).toBeLessThan(200);
    expect(rowsRescored[0]).toBeGreaterThanOrEqual(5);
  });

  it('goes on past the first window where the bounds say nothing, and keeps ties', async () => {
    // Opposite pairs: every mean is zero, every radius the same.
    const vectors = Float32Array.from({ length: 600 * 2 }, (_, i) => (i % 2 === 0 ? 1 : -1));
    const collection = {
      vectors,
      lengths: new Uint32Array(600).fill(2),
      dimension: 1,
      metric: 'ip',
    } as const;
    const index = await indexOf(collection);
    const bounds = await boundsOf(collection, { method: 'ward', factor: 2 });
    const hits = await certifiedPooledSearch(index, bounds, Float32Array.of(1), { k: 3 });
    expect([...hits.rows]).toEqual([0, 1, 2]);
    expect([...hits.scores]).toEqual([1, 1, 1]);
    expect([...hits.certificate.rowsRescored]).toEqual([600]);
  });

  it('scores a document whose bound is just the k-th score: it may come first by its number', async () => {
    // Document 0 has the bound 1, the others one near 4; all have the score 1.
    const vectors = Float32Array.of(1, ...Array.from({ length: 20 }, () => [1, 1, 1, -5]).flat());
    const lengths = Uint32Array.of(1, ...Array.from({ length: 20 }, () => 4));
    const collection = { vectors, lengths, dimension: 1, metric: 'ip' } as const;
    const index = await indexOf(collection);
    const bounds = await boundsOf(collection, { method: 'ward', factor: 4 });
    const query = Float32Array.of(1);
    const { rows, scores } = await bounds.search(query, 21);
    expect([rows[20], scores[20], scores[19]! > 3]).toEqual([0, 1, true]);
    const hits = await certifiedPooledSearch(index, bounds, query, { k: 1 });
    expect([...hits.rows]).toEqual([0]);
  });

  it('bounds hold to the last bit where they are tight: a query along the line from mean to member', async () => {
    const dimension = 7;
    const vectors = new Seeded(11).normal(400 * 2 * dimension);
    const lengths = new Uint32Array(400).fill(2);
    const collection = { vectors, lengths, dimension, metric: 'ip' } as const;
    const index = await indexOf(collection);
    const pooled = await poolVectors(vectors, lengths, { dimension, method: 'ward', factor: 2 });
    const bounds = await PooledBounds.create(pooled);
    let tight = 0;
    for (let document = 0; document < 400; document++) {
      const centroid = pooled.vectors.data.subarray(document * dimension, (document + 1) * dimension);
      const query = centroid.map((value, i) => vectors[2 * document * dimension + i]! - value);
      const exact = await index.search(query, { k: 400 });
      const bounded = await bounds.search(query, 400);
      const score = exact.scores[exact.rows.indexOf(document)]!;
      const bound = bounded.scores[bounded.rows.indexOf(document)]!;
      expect(bound).toBeGreaterThanOrEqual(score);
      if (bound - score < 1e-6 * Math.abs(score)) tight++;
    }
    expect(tight).toBeGreaterThan(300);
  });

  it('refuses bounds of other documents, and l2', async () => {
    const collection = clustered(4, 3, 2, 0.1);
    const index = await indexOf(collection);
    const how = { method: 'ward', factor: 2 } as const;
    const query = Float32Array.of(1, 0);
    for (const [code, other] of [
      ['LENGTH_MISMATCH', clustered(3, 3, 2, 0.1)],
      ['LENGTH_MISMATCH', clustered(4, 3, 3, 0.1)],
      ['INVALID_ARGUMENT', { ...collection, metric: 'ip' as const }],
    ] as const) {
      const bounds = await boundsOf(other, how);
      await expect(certifiedPooledSearch(index, bounds, query, { k: 1 })).rejects.toMatchObject({ code });
    }
    const bounds = await boundsOf(collection, how);
    await expect(certifiedPooledSearch(index, bounds, query, { k: 5 })).rejects.toMatchObject({
      code: 'K_OUT_OF_RANGE',
    });
    await expect(
      certifiedPooledSearch(index, bounds, query, { k: 1, signal: AbortSignal.abort() }),
    ).rejects.toMatchObject({ code: 'ABORTED' });
    const { vectors, lengths } = collection;
    const squared = await poolVectors(vectors, lengths, { dimension: 2, metric: 'l2', ...how });
    await expect(PooledBounds.create(squared)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  });
});
