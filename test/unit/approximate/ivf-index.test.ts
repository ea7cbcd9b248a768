import { describe, expect, it } from 'vitest';
import { IvfIndex, recallAgainst } from '../../../src/approximate/index.js';
import { FlatIndex } from '../../../src/index/flat-index.js';
import { rankedLists } from '../../../src/ranking/ranked-list.js';
import { matrix } from '../../../src/vectors/matrix.js';
import { argMax, clustered, dot, listsOf, ranking, unit } from './slow-forms.js';

const dimension = 8;
const vectors = matrix(clustered(700, dimension, 15, 3), dimension);
const queries = matrix(
  clustered(700, dimension, 15, 3)
    .slice(0, 12 * dimension)
    .map((x) => x + 0.1),
  dimension,
);

async function exactLists(metric: 'ip' | 'cosine' | 'l2', k: number) {
  const index = new FlatIndex({ dimension, metric });
  await index.add(vectors);
  return rankedLists(await index.search(queries, { k }));
}

describe('IvfIndex', () => {
  it.each(['ip', 'cosine', 'l2'] as const)(
    '%s: with every list it finds what FlatIndex finds',
    async (metric) => {
      const index = await IvfIndex.build(vectors, { metric, lists: 20 });
      const found = await index.search(queries, { k: 25, probes: index.lists });
      for (const [query, exact] of (await exactLists(metric, 25)).entries()) {
        expect(found[query]).toEqual({ ...exact, approximate: true, rowsScored: 700 });
      }
      index.dispose();
    },
  );

  it.each(['ip', 'cosine', 'l2'] as const)(
    '%s: it finds the best rows of the nearest lists, by the definition',
    async (metric) => {
      const lists = listsOf(vectors.data, dimension);
      const index = await IvfIndex.build(vectors, { metric, lists: 20, seed: 7 });
      const similar = (q: number[], x: number[]) =>
        metric === 'l2'
          ? -dot(
              q.map((v, d) => v - x[d]!),
              q.map((v, d) => v - x[d]!),
            )
          : dot(q, metric === 'ip' ? x : unit(x));
      const centres = listsOf(index.centroids.data, dimension);
      const toCentre = (q: number[], c: number[]) => (metric === 'l2' ? similar(q, c) : dot(q, c));
      const listOf = lists.map((x) => argMax(centres.map((c) => toCentre(metric === 'l2' ? x : unit(x), c))));
      const found = await index.search(queries, { k: 10, probes: 3 });
      for (const [query, q] of listsOf(queries.data, dimension).entries()) {
        const probed = ranking([...centres.keys()], (c) => toCentre(q, centres[c]!)).slice(0, 3);
        const rows = [...lists.keys()].filter((row) => probed.includes(listOf[row]!));
        const expected = ranking(rows, (row) => Math.fround(similar(q, lists[row]!))).slice(0, 10);
        expect([...found[query]!.rows]).toEqual(expected);
        expect(found[query]!.rowsScored).toBe(rows.length);
      }
      index.dispose();
    },
  );

  it('finds more with more lists, and says that it is approximate', async () => {
    const index = await IvfIndex.build(vectors, { metric: 'cosine' });
    const exact = await exactLists('cosine', 20);
    const recall = async (probes: number) => {
      const found = await index.search(queries, { k: 20, probes });
      expect(found.every(({ approximate }) => approximate)).toBe(true);
      return found.reduce((sum, list, q) => sum + recallAgainst(exact[q]!, list, 20), 0) / found.length;
    };
    const [one, eight, all] = [await recall(1), await recall(8), await recall(index.lists)];
    expect(one).toBeLessThan(1);
    expect(eight).toBeGreaterThan(one);
    expect(all).toBe(1);
    index.dispose();
  });

  it('takes one row, equal rows, fewer rows than lists; and finds fewer than k where lists are small', async () => {
    const one = await IvfIndex.build(matrix(Float32Array.of(1, 2), 2), { lists: 5 });
    expect([one.rows, one.lists]).toEqual([1, 1]);
    expect([...(await one.search(Float32Array.of(1, 0), { k: 1 }))[0]!.rows]).toEqual([0]);
    const equal = await IvfIndex.build(matrix(new Float32Array(20).fill(1), 2), { lists: 4 });
    expect(equal.lists).toBe(1);
    expect([...(await equal.search(Float32Array.of(1, 0), { k: 4 }))[0]!.rows]).toEqual([0, 1, 2, 3]);
    const few = await IvfIndex.build(matrix(Float32Array.of(1, 0, 0, 1, -1, 0), 2), { lists: 3 });
    const [found] = await few.search(Float32Array.of(1, 0.1), { k: 3, probes: 1 });
    expect(found).toMatchObject({ rows: Uint32Array.of(0), rowsScored: 1 });
  });

  it('refuses what it cannot do', async () => {
    const refused = (options: object) => IvfIndex.build(vectors, options as never);
    await expect(refused({ lists: 0 })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    await expect(refused({ metric: 'dot' })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    await expect(refused({ nlist: 4 })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    await expect(refused({ signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'ABORTED' });
    await expect(IvfIndex.build(matrix(new Float32Array(0), 3))).rejects.toMatchObject({
      code: 'EMPTY_INDEX',
    });
    const index = await IvfIndex.build(vectors, { lists: 4 });
    await expect(index.search(queries, { k: 701 })).rejects.toMatchObject({ code: 'K_OUT_OF_RANGE' });
    await expect(index.search(queries, { k: 1, probes: 0 })).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
    });
    index.dispose();
    await expect(index.search(queries, { k: 1 })).rejects.toMatchObject({ code: 'INDEX_DISPOSED' });
  });
});
