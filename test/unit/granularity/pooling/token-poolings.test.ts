import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mergeFrames, TOKEN_POOLINGS } from '../../../../src/granularity/index.js';
import { documentVectors, pooledByLeaders } from '../../../../src/granularity/pooling/document-vectors.js';
import {
  certifiedPooledSearch,
  type Metric,
  MultiVectorIndex,
  PooledBounds,
  type PooledVectors,
  poolVectors,
} from '../../../../src/index.js';
import { groupsOf, vectorsOf } from './pooled-documents.js';

interface Documents {
  vectors: Float32Array;
  lengths: Uint32Array;
  dimension: number;
  metric: Metric;
}
type Pooling = (documents: Documents) => PooledVectors;

/** Every pooling with the options that make something of documents of any length. */
const POOLINGS: Record<keyof typeof TOKEN_POOLINGS | 'frames', Pooling> = {
  'token-merging': ({ vectors, lengths, ...o }) =>
    TOKEN_POOLINGS['token-merging'](vectors, lengths, { ...o, factor: 2 }),
  'k-spacing': ({ vectors, lengths, ...o }) =>
    TOKEN_POOLINGS['k-spacing'](vectors, lengths, { ...o, spacing: 3 }),
  'tail-pruning': ({ vectors, lengths, ...o }) =>
    TOKEN_POOLINGS['tail-pruning'](vectors, lengths, { ...o, factor: 2 }),
  grid: ({ vectors, lengths, ...o }) =>
    TOKEN_POOLINGS.grid(vectors, lengths, {
      ...o,
      grid: [...lengths].map((columns) => ({ rows: 1, columns })),
    }),
  // Every frame has one vector.
  frames: ({ vectors, lengths, ...o }) =>
    mergeFrames(vectors, new Uint32Array(vectors.length / (o.dimension || 1)).fill(1), lengths, {
      ...o,
      levels: 2,
    }),
};
const NAMES = Object.keys(POOLINGS) as (keyof typeof POOLINGS)[];

const value = fc.oneof(
  fc.integer({ min: -2, max: 2 }),
  fc.float({ noNaN: true, min: -1, max: 1 }),
  fc.constantFrom(1e18, -1e18, 1e-30, 1e-42),
);
const documents = fc
  .record({
    dimension: fc.integer({ min: 1, max: 9 }),
    lengths: fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 1, maxLength: 8 }),
    metric: fc.constantFrom<'ip' | 'cosine'>('ip', 'cosine'),
    queries: fc.integer({ min: 1, max: 3 }),
    k: fc.integer({ min: 1, max: 8 }),
  })
  .chain((shape) => {
    const size = (shape.lengths.reduce((a, b) => a + b) + shape.queries) * shape.dimension;
    return fc.record({
      shape: fc.constant(shape),
      values: fc.array(value, { minLength: size, maxLength: size }),
    });
  });

it('every registered pooling is tested here', () => {
  expect(NAMES).toEqual([...Object.keys(TOKEN_POOLINGS), 'frames']);
});

describe.each(NAMES)('%s', (name) => {
  const pool = POOLINGS[name];

  it('has every row as a member once, groups in order of their lowest, and members within the radius', () => {
    fc.assert(
      fc.property(documents, ({ shape, values }) => {
        const { dimension, metric, queries } = shape;
        const vectors = Float32Array.from(values.slice(queries * dimension));
        const lengths = Uint32Array.from(shape.lengths);
        const pooled = pool({ vectors, lengths, dimension, metric });
        const groups = groupsOf(pooled);
        expect(pooled.radii).toHaveLength(groups.length);
        expect(pooled.vectors.rows).toBe(groups.length);
        const kept = documentVectors(vectors, lengths, { dimension, metric }).vectors.data;
        let [group, row] = [0, 0];
        for (const [document, length] of shape.lengths.entries()) {
          const own = groups.slice(group, group + pooled.lengths[document]!);
          expect(own.flat().sort((a, b) => a - b)).toEqual(Array.from({ length }, (_, i) => row + i));
          for (let i = 1; i < own.length; i++) expect(own[i]![0]).toBeGreaterThan(own[i - 1]![0]!);
          for (const rows of own) {
            expect(rows).toEqual([...rows].sort((a, b) => a - b));
            const centre = pooled.vectors.data.subarray(group * dimension, (group + 1) * dimension);
            const greatest = Math.max(
              ...rows.map((member) =>
                Math.hypot(...Array.from(centre, (c, d) => kept[member * dimension + d]! - c)),
              ),
            );
            const radius = pooled.radii[group]!;
            expect(radius).toBeGreaterThanOrEqual(greatest * (1 - 1e-15));
            expect(radius).toBeLessThanOrEqual(greatest * (1 + 2e-7) + 1.5e-45);
            if (rows.length === 1)
              expect([...centre]).toEqual([
                ...kept.subarray(rows[0]! * dimension, (rows[0]! + 1) * dimension),
              ]);
            group++;
          }
          row += length;
        }
        expect(group).toBe(groups.length);
      }),
    );
  });

  it('certified search over it finds the rows and scores of the exhaustive search, bit for bit', async () => {
    await fc.assert(
      fc.asyncProperty(documents, async ({ shape, values }) => {
        const { dimension, metric, queries } = shape;
        const query = Float32Array.from(values.slice(0, queries * dimension));
        const vectors = Float32Array.from(values.slice(queries * dimension));
        const lengths = Uint32Array.from(shape.lengths);
        const index = new MultiVectorIndex({ dimension, metric });
        await index.add(vectors, lengths);
        using bounds = await PooledBounds.create(pool({ vectors, lengths, dimension, metric }));
        const k = Math.min(shape.k, lengths.length);
        const expected = await index.search(query, { k });
        const hits = await certifiedPooledSearch(index, bounds, query, { k });
        expect([hits.rows, hits.scores]).toEqual([expected.rows, expected.scores]);
        index.dispose();
      }),
    );
  });

  it('takes no document, one vector, and views at an offset', () => {
    const none = pool({
      vectors: new Float32Array(0),
      lengths: new Uint32Array(0),
      dimension: 2,
      metric: 'ip',
    });
    expect([none.vectors.rows, none.lengths.length, [...none.members.offsets]]).toEqual([0, 0, [0]]);
    const vectors = Float32Array.of(9, 3, 4).subarray(1);
    const one = pool({ vectors, lengths: Uint32Array.of(1), dimension: 2, metric: 'cosine' });
    expect([...one.vectors.data]).toEqual([Math.fround(0.6), Math.fround(0.8)]);
    expect([[...one.lengths], [...one.radii], one.metric]).toEqual([[1], [0], 'cosine']);
  });

  it.each([
    ['INVALID_ARGUMENT', { metric: 'dot' }],
    ['DIMENSION_INVALID', { dimension: 0 }],
    ['LENGTH_MISMATCH', { dimension: 3 }],
    ['LENGTH_MISMATCH', { lengths: Uint32Array.of(2, 3) }],
    ['EMPTY_DOCUMENT', { lengths: Uint32Array.of(4, 0) }],
    ['NOT_FINITE', { vectors: Float32Array.of(0, 0, 0, 0, 0, Number.NaN, 0, 0) }],
    ['INVALID_ARGUMENT', { vectors: [1, 2, 3, 4] }],
    ['INVALID_ARGUMENT', { threads: 2 }],
  ])('refuses with %s: %j', (code, wrong) => {
    const right = { vectors: new Float32Array(8), lengths: Uint32Array.of(1, 3), dimension: 2, metric: 'ip' };
    expect(() => pool({ ...right, ...wrong } as never)).toThrow(expect.objectContaining({ code }));
  });
});

describe('pooledByLeaders', () => {
  it.each<Metric>(['ip', 'cosine', 'l2'])(
    'gives the vectors and radii of the engine for the same groups: %s',
    async (metric) => {
      const lengths = Uint32Array.of(40, 1, 23);
      const vectors = vectorsOf(64, 13, 8);
      const options = { dimension: 13, metric };
      const expected = await poolVectors(vectors, lengths, { ...options, method: 'ward', factor: 4 });
      const leaders = new Uint32Array(64);
      for (const group of groupsOf(expected)) for (const row of group) leaders[row] = group[0]!;
      expect(pooledByLeaders(documentVectors(vectors, lengths, options), leaders)).toEqual(expected);
    },
  );
});

describe("Ward's method", () => {
  it('joins by the distances of the vectors, not by those of the rows of a matrix of similarities', async () => {
    const points = [0.3, 0.5, 2.9, 1.7, 1].map((angle) => [Math.cos(angle), Math.sin(angle)]);
    const rows = points.map((a) => points.map((b) => 1 - (a[0]! * b[0]! + a[1]! * b[1]!)));
    expect(slowWard(rows, 2)).toEqual([[0, 1, 3, 4], [2]]);
    expect(slowWard(points, 2)).toEqual([
      [0, 1, 4],
      [2, 3],
    ]);
    const options = { dimension: 2, method: 'ward', count: 2 } as const;
    const pooled = await poolVectors(Float32Array.from(points.flat()), Uint32Array.of(5), options);
    expect(groupsOf(pooled)).toEqual(slowWard(points, 2));
  });
});

/** By the definition: the union that adds least to the sum of squared distances to the means, until `keep` are left. */
function slowWard(points: number[][], keep: number): number[][] {
  const inertia = (group: number[]) => {
    const mean = points[0]!.map((_, d) => group.reduce((sum, i) => sum + points[i]![d]!, 0) / group.length);
    return group.reduce(
      (sum, i) => sum + points[i]!.reduce((s, value, d) => s + (value - mean[d]!) ** 2, 0),
      0,
    );
  };
  let groups = points.map((_, i) => [i]);
  while (groups.length > keep) {
    const unions = groups.flatMap((a, i) =>
      groups.slice(i + 1).map((b) => ({ a, b, added: inertia([...a, ...b]) - inertia(a) - inertia(b) })),
    );
    const { a, b } = unions.reduce((best, union) => (union.added < best.added ? union : best));
    groups = [...groups.filter((group) => group !== a && group !== b), [...a, ...b].sort((x, y) => x - y)];
  }
  return groups.sort((a, b) => a[0]! - b[0]!);
}
