import { describe, expect, it } from 'vitest';
import { PlaidIndex, plaidReach, recallAgainst } from '../../../src/approximate/index.js';
import { MultiVectorIndex } from '../../../src/index/multi-vector-index.js';
import { rankedLists } from '../../../src/ranking/ranked-list.js';
import {
  argMax,
  clustered,
  clusteredDocuments,
  documentLists,
  dot,
  listsOf,
  maxSim,
  ranking,
  unit,
} from './slow-forms.js';

const dimension = 8;
const documents = clusteredDocuments(300, dimension, 5);
const numbers = Uint32Array.from({ length: 300 }, (_, i) => i);
const queries = Array.from({ length: 12 }, (_, i) => clustered(4, dimension, 12, 5 + i));

/** What the index holds: per document its nearest centroids, and its vectors as they are decoded. */
function slowIndex(index: PlaidIndex) {
  const centroids = listsOf(index.codec.centroids.data, dimension);
  const codes = documentLists(documents).map((document) =>
    document.map((x) => argMax(centroids.map((c) => dot(unit(x), c)))),
  );
  return { centroids, codes, decoded: documentLists(index.decode(numbers)) };
}

/** The four stages by the definition. */
function slowSearch(
  { centroids, codes, decoded }: ReturnType<typeof slowIndex>,
  query: number[][],
  {
    k,
    cells,
    threshold,
    documents: count,
  }: { k: number; cells: number; threshold: number; documents: number },
): { rows: number[]; scored: number; unkept: number } {
  const near = new Set(
    query.flatMap((q) => ranking([...centroids.keys()], (c) => dot(q, centroids[c]!)).slice(0, cells)),
  );
  const candidates = [...codes.keys()].filter((document) => codes[document]!.some((c) => near.has(c)));
  const kept = (c: number) => query.some((q) => dot(q, centroids[c]!) >= threshold);
  const byCentroids = (document: number, among: (c: number) => boolean) => {
    const own = codes[document]!.filter(among);
    return own.length === 0
      ? -9999 * query.length
      : query.reduce((sum, q) => sum + Math.max(...own.map((c) => dot(q, centroids[c]!))), 0);
  };
  const second = ranking(candidates, (document) => byCentroids(document, kept)).slice(0, count);
  const third = ranking(second, (document) => byCentroids(document, () => true)).slice(
    0,
    Math.floor(count / 4),
  );
  return {
    rows: ranking(third, (document) => maxSim(query, decoded[document]!)).slice(0, k),
    scored: third.length,
    unkept: candidates.filter((document) => !codes[document]!.some(kept)).length,
  };
}

describe('PlaidIndex', () => {
  it.each([
    { k: 10, cells: 1, threshold: 0.5, documents: 80 },
    { k: 10, cells: 3, threshold: 0.9, documents: 200 },
    { k: 5, cells: 2, threshold: -1, documents: 20 },
    { k: 20, cells: 4, threshold: 2, documents: 100 },
  ])('searches by the definition: %j', async (reach) => {
    const index = await PlaidIndex.build(documents, { centroids: 40 });
    const held = slowIndex(index);
    let unkept = 0;
    for (const query of queries) {
      const slow = slowSearch(held, listsOf(query, dimension).map(unit), reach);
      const found = await index.search(query, reach);
      expect([...found.rows]).toEqual(slow.rows);
      expect(found).toMatchObject({ approximate: true, rowsScored: slow.scored });
      unkept += slow.unkept;
    }
    // Documents without a kept centroid must occur where the test is to show what becomes of them.
    if (reach.threshold >= 0.9) expect(unkept).toBeGreaterThan(0);
    index.dispose();
  });

  it('looking at everything, it finds what MultiVectorIndex finds among the decoded vectors, with the same scores to five decimals', async () => {
    const index = await PlaidIndex.build(documents, { bits: 4, centroids: 40 });
    const decoded = index.decode(numbers);
    expect(decoded.lengths).toEqual(documents.lengths);
    const exact = new MultiVectorIndex({ dimension });
    await exact.add(decoded.data, decoded.lengths);
    const everything = { cells: 40, threshold: -2, documents: 1200 };
    for (const query of queries) {
      const units = Float32Array.from(listsOf(query, dimension).flatMap(unit));
      const [expected] = rankedLists(await exact.search(units, { k: 30 }));
      const found = await index.search(units, { k: 30, ...everything });
      expect([...found.rows]).toEqual([...expected!.rows]);
      for (const [i, score] of expected!.scores.entries()) expect(found.scores[i]).toBeCloseTo(score, 5);
      expect(found.rowsScored).toBe(300);
    }
    exact.dispose();
    index.dispose();
  });

  it('a document whose centroids are all passed over comes last in the second stage, and stays where there is room', async () => {
    const data = Float32Array.of(1, 0, 0, 1, 0.6, 0.8, -1, 0);
    const four = { data, lengths: Uint32Array.of(1, 1, 1, 1), columns: 2 };
    const index = await PlaidIndex.build(four, { centroids: 4 });
    const everything = { k: 4, cells: 4, documents: 16 };
    const query = Float32Array.of(0, 1);
    expect([...(await index.search(query, { ...everything, threshold: 0.9 })).rows]).toEqual([1, 2, 0, 3]);
    // Document 1 is the only one with a kept centroid; of the others, whose maxima are all missing, the lowest stays.
    const narrow = await PlaidIndex.build(
      { data: Float32Array.from([...data, ...data]), lengths: new Uint32Array(8).fill(1), columns: 2 },
      { centroids: 8 },
    );
    const found = await narrow.search(query, { k: 1, cells: 4, documents: 4, threshold: 0.9 });
    expect(found).toMatchObject({ rows: Uint32Array.of(1), rowsScored: 1 });
    index.dispose();
    narrow.dispose();
  });

  it('comes nearer to the exact search with more bits', async () => {
    const exact = new MultiVectorIndex({ dimension, metric: 'cosine' });
    await exact.add(documents.data, documents.lengths);
    const recalls: number[] = [];
    for (const bits of [1, 4] as const) {
      const index = await PlaidIndex.build(documents, { bits });
      let recall = 0;
      for (const query of queries) {
        const [expected] = rankedLists(await exact.search(query, { k: 10 }));
        const found = await index.search(query, { k: 10, cells: 300, documents: 1200 });
        recall += recallAgainst(expected!, found, 10) / queries.length;
      }
      recalls.push(recall);
      index.dispose();
    }
    expect(recalls[1]).toBeGreaterThan(recalls[0]!);
    expect(recalls[1]).toBeGreaterThan(0.9);
    exact.dispose();
  });

  it('is the same with any number of threads, and another with another seed', async () => {
    const built = async (options: object) => (await PlaidIndex.build(documents, options)).decode(numbers);
    const first = await built({ seed: 2, threads: 1 });
    expect(await built({ seed: 2 })).toEqual(first);
    expect(await built({ seed: 3 })).not.toEqual(first);
  });

  it('takes one document, fewer vectors than centroids, and equal documents', async () => {
    const one = await PlaidIndex.build({
      data: Float32Array.of(3, 4),
      lengths: Uint32Array.of(1),
      columns: 2,
    });
    const found = await one.search(Float32Array.of(1, 0), { k: 1 });
    expect([...found.rows]).toEqual([0]);
    expect(found.scores[0]).toBeCloseTo(0.6, 6);
    const equal = await PlaidIndex.build({
      data: new Float32Array(24).fill(1),
      lengths: Uint32Array.of(2, 1, 3),
      columns: 4,
    });
    expect(equal.codec.centroids.rows).toBe(1);
    expect([...(await equal.search(new Float32Array(4).fill(1), { k: 3 })).rows]).toEqual([0, 1, 2]);
  });

  it('looks as far as PLAID does by default', () => {
    expect(plaidReach(10)).toEqual({ cells: 1, threshold: 0.5, documents: 256 });
    expect(plaidReach(11)).toEqual({ cells: 2, threshold: 0.45, documents: 1024 });
    expect(plaidReach(100)).toEqual({ cells: 2, threshold: 0.45, documents: 1024 });
    expect(plaidReach(101)).toEqual({ cells: 4, threshold: 0.4, documents: 4096 });
    expect(plaidReach(2000)).toEqual({ cells: 4, threshold: 0.4, documents: 8000 });
  });

  it('refuses what it cannot do', async () => {
    const refused = (options: object) => PlaidIndex.build(documents, options as never);
    await expect(refused({ bits: 3 })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    await expect(refused({ centroids: 0 })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    await expect(refused({ nbits: 2 })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    await expect(refused({ signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'ABORTED' });
    const empty = { data: new Float32Array(0), lengths: new Uint32Array(0), columns: 2 };
    await expect(PlaidIndex.build(empty)).rejects.toMatchObject({ code: 'EMPTY_INDEX' });
    const hollow = { data: new Float32Array(2), lengths: Uint32Array.of(1, 0), columns: 2 };
    await expect(PlaidIndex.build(hollow)).rejects.toMatchObject({
      code: 'EMPTY_DOCUMENT',
      details: { row: 1 },
    });
    const index = await PlaidIndex.build(documents, { centroids: 20 });
    const search = (options: object) => index.search(queries[0]!, { k: 3, ...options });
    await expect(search({ k: 301 })).rejects.toMatchObject({ code: 'K_OUT_OF_RANGE' });
    await expect(search({ cells: 0 })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    await expect(search({ threshold: Number.NaN })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    await expect(search({ documents: 3 })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    await expect(search({ ndocs: 8 })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    expect(() => index.decode(Uint32Array.of(300))).toThrow(
      expect.objectContaining({ code: 'ROW_NOT_FOUND' }),
    );
    index.dispose();
    await expect(search({})).rejects.toMatchObject({ code: 'INDEX_DISPOSED' });
  });
});
