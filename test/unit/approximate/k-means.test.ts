import { describe, expect, it } from 'vitest';
import { assignToNearest, kMeans } from '../../../src/approximate/index.js';
import { matrix } from '../../../src/vectors/matrix.js';
import { argMax, clustered, dot, listsOf, unit } from './slow-forms.js';

const similarity = {
  l2: (x: number[], c: number[]) => -x.reduce((sum, value, d) => sum + (value - c[d]!) ** 2, 0),
  cosine: (x: number[], c: number[]) => dot(unit(x), c),
};

/** Lloyd's rounds by the definition, from the same centroids. */
function slowRounds(vectors: number[][], start: number[][], rounds: number, metric: 'l2' | 'cosine') {
  let centroids = start;
  const assign = () => vectors.map((x) => argMax(centroids.map((c) => similarity[metric](x, c))));
  for (let round = 0; round < rounds; round++) {
    const assignments = assign();
    centroids = centroids.map((_, cluster) => {
      const own = vectors.filter((_, row) => assignments[row] === cluster);
      const points = metric === 'cosine' ? own.map(unit) : own;
      const mean = points[0]!.map((_, d) => points.reduce((sum, x) => sum + x[d]!, 0) / points.length);
      return metric === 'cosine' ? unit(mean) : mean;
    });
  }
  return { centroids, assignments: assign() };
}

describe('kMeans', () => {
  const vectors = matrix(clustered(300, 6, 8, 1), 6);
  const lists = listsOf(vectors.data, 6);

  it.each(['l2', 'cosine'] as const)('%s: rounds are those of the definition', async (metric) => {
    const start = await kMeans(vectors, { clusters: 9, metric, rounds: 0, seed: 5 });
    expect(start.centroids.rows).toBe(9);
    const slow = slowRounds(lists, listsOf(start.centroids.data, 6), 3, metric);
    const fast = await kMeans(vectors, { clusters: 9, metric, rounds: 3, seed: 5 });
    expect([...fast.assignments]).toEqual(slow.assignments);
    for (const [i, value] of fast.centroids.data.entries()) {
      expect(value).toBeCloseTo(slow.centroids.flat()[i]!, 5);
    }
  });

  it('starts from different vectors, and stops when no vector moves', async () => {
    const start = await kMeans(vectors, { clusters: 300, rounds: 0 });
    expect(new Set(start.assignments).size).toBe(300);
    const settled = await kMeans(vectors, { clusters: 4, rounds: 200 });
    const more = await kMeans(vectors, { clusters: 4, rounds: 201 });
    expect(more).toEqual(settled);
    expect([...(await assignToNearest(vectors, settled.centroids))]).toEqual([...settled.assignments]);
  });

  it('gives the same bits again and with any number of threads, and others with another seed', async () => {
    const options = { clusters: 12, metric: 'cosine', seed: 3 } as const;
    const first = await kMeans(vectors, options);
    expect(await kMeans(vectors, { ...options, threads: 1 })).toEqual(first);
    expect(await kMeans(vectors, { ...options, seed: 4 })).not.toEqual(first);
  });

  it('keeps no cluster without vectors: of equal vectors one, of three different ones at most three', async () => {
    const equal = await kMeans(matrix(new Float32Array(40).fill(2), 4), { clusters: 5 });
    expect([...equal.centroids.data]).toEqual([2, 2, 2, 2]);
    expect([...equal.assignments]).toEqual(new Array(10).fill(0));
    const three = Float32Array.from({ length: 30 }, (_, i) => i % 3);
    const clusters = await kMeans(matrix(three, 1), { clusters: 20 });
    expect([...clusters.centroids.data].sort()).toEqual([0, 1, 2]);
    for (const [row, cluster] of clusters.assignments.entries()) {
      expect(clusters.centroids.data[cluster]).toBe(three[row]);
    }
  });

  it('takes one vector, fewer vectors than clusters, and vectors of zeros', async () => {
    const one = await kMeans(matrix(Float32Array.of(3, 4), 2), { clusters: 8, metric: 'cosine' });
    expect([...one.centroids.data]).toEqual([Math.fround(0.6), Math.fround(0.8)]);
    const zeros = await kMeans(matrix(new Float32Array(6), 2), { clusters: 2, metric: 'cosine' });
    expect([...zeros.centroids.data]).toEqual([0, 0]);
  });

  it('cosine counts directions alone', async () => {
    const scaled = matrix(
      vectors.data.map((value, i) => value * 2 ** (Math.floor(i / 6) % 5)),
      6,
    );
    const options = { clusters: 7, metric: 'cosine' } as const;
    expect((await kMeans(scaled, options)).assignments).toEqual((await kMeans(vectors, options)).assignments);
  });

  it('stops when it is told to', async () => {
    const signal = AbortSignal.abort();
    await expect(kMeans(vectors, { clusters: 3, signal })).rejects.toMatchObject({ code: 'ABORTED' });
  });

  it.each([
    ['INVALID_ARGUMENT', { clusters: 0 }],
    ['INVALID_ARGUMENT', { clusters: 2, metric: 'ip' }],
    ['INVALID_ARGUMENT', { clusters: 2, rounds: -1 }],
    ['INVALID_ARGUMENT', { clusters: 2, seed: 0.5 }],
    ['INVALID_ARGUMENT', { clusters: 2, iterations: 3 }],
  ])('refuses with %s: %j', async (code, options) => {
    await expect(kMeans(vectors, options as never)).rejects.toMatchObject({ code });
  });

  it('refuses no vectors, and what is not finite', async () => {
    const none = matrix(new Float32Array(0), 2);
    await expect(kMeans(none, { clusters: 1 })).rejects.toMatchObject({ code: 'EMPTY_INDEX' });
    const wrong = matrix(Float32Array.of(0, 1, 2, Number.NaN), 2);
    await expect(kMeans(wrong, { clusters: 1 })).rejects.toMatchObject({
      code: 'NOT_FINITE',
      details: { row: 1, column: 1 },
    });
  });
});
