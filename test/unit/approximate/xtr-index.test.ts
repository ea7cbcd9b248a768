import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { XtrIndex } from '../../../src/approximate/index.js';
import { MultiVectorIndex } from '../../../src/index/multi-vector-index.js';
import { rankedLists } from '../../../src/ranking/ranked-list.js';
import { clustered, clusteredDocuments, documentLists, dot, listsOf, ranking, unit } from './slow-forms.js';

const dimension = 8;
const documents = clusteredDocuments(200, dimension, 5);
const lists = documentLists(documents);
const queries = Array.from({ length: 12 }, (_, i) => clustered(4, dimension, 12, 5 + i));
const metrics = ['ip', 'cosine'] as const;
const exact = {
  ip: new MultiVectorIndex({ dimension }),
  cosine: new MultiVectorIndex({ dimension, metric: 'cosine' }),
};

beforeAll(async () => {
  for (const index of Object.values(exact)) await index.add(documents.data, documents.lengths);
});
afterAll(() => {
  for (const index of Object.values(exact)) index.dispose();
});

/** Per document its score by the definition; those of which nothing was retrieved have none. */
function slowScores(query: number[][], tokens: number, metric: 'ip' | 'cosine'): Map<number, number> {
  const similar = (q: number[], x: number[]) => (metric === 'ip' ? dot(q, x) : dot(unit(q), unit(x)));
  const all = lists.flatMap((document, row) => document.map((x) => ({ row, x })));
  const retrieved = query.map((q) => {
    const scores = all.map(({ x }) => similar(q, x));
    const best = ranking([...all.keys()], (i) => scores[i]!).slice(0, tokens);
    return best.map((i) => ({ row: all[i]!.row, score: scores[i]! }));
  });
  const scores = new Map<number, number>();
  for (const row of new Set(retrieved.flat().map((hit) => hit.row))) {
    const maxima = retrieved.map((hits) => {
      const own = hits.filter((hit) => hit.row === row).map(({ score }) => score);
      return own.length > 0 ? Math.max(...own) : hits.at(-1)!.score;
    });
    scores.set(row, maxima.reduce((a, b) => a + b, 0) / query.length);
  }
  return scores;
}

describe.each(metrics)('XtrIndex, %s', (metric) => {
  it.each([1, 30, 400])('scores by the definition, with %i vectors retrieved', async (tokens) => {
    const index = await XtrIndex.build(documents, { metric });
    for (const query of queries) {
      const scores = slowScores(listsOf(query, dimension), tokens, metric);
      const found = await index.search(query, { k: 10, tokens });
      const expected = ranking([...scores.keys()], (row) => scores.get(row)!).slice(0, 10);
      expect(found.rows).toHaveLength(expected.length);
      for (const [i, row] of found.rows.entries()) {
        expect(found.scores[i]).toBeCloseTo(scores.get(row)!, 5);
        expect(found.scores[i]).toBeCloseTo(scores.get(expected[i]!)!, 5);
      }
      expect(found).toMatchObject({ approximate: true, rowsScored: scores.size });
    }
    index.dispose();
  });

  it('bounds MaxSim from both sides, and a certified list holds what the exact search finds', async () => {
    const index = await XtrIndex.build(documents, { metric });
    const seen = { true: 0, false: 0 };
    let open = 0;
    for (const query of queries) {
      const [all] = rankedLists(await exact[metric].search(query, { k: 200 }));
      const scoreOf = new Map([...all!.rows].map((row, i) => [row, all!.scores[i]!]));
      for (const tokens of [5, 50, 100, 400, 700]) {
        for (const k of [1, 3, 200]) {
          const { rows, lower, upper, certified } = await index.search(query, { k, tokens });
          for (const [i, row] of rows.entries()) {
            expect(scoreOf.get(row)).toBeGreaterThanOrEqual(lower[i]!);
            expect(scoreOf.get(row)).toBeLessThanOrEqual(upper[i]!);
            if (lower[i]! < upper[i]!) open++;
          }
          seen[`${certified}`]++;
          if (certified) expect([...rows].sort()).toEqual([...all!.rows.subarray(0, rows.length)].sort());
        }
      }
    }
    expect(seen.true).toBeGreaterThan(10);
    expect(seen.false).toBeGreaterThan(10);
    expect(open).toBeGreaterThan(100);
    index.dispose();
  });

  it('with every vector retrieved, it is MaxSim by the number of query vectors, certified', async () => {
    const index = await XtrIndex.build(documents, { metric });
    for (const query of queries) {
      const [all] = rankedLists(await exact[metric].search(query, { k: 200 }));
      const found = await index.search(query, { k: 200, tokens: 10_000 });
      expect(found.certified).toBe(true);
      expect([...found.lower]).toEqual([...found.upper]);
      expect([...found.upper]).toEqual([...all!.scores]);
    }
    index.dispose();
  });
});

describe('XtrIndex', () => {
  it('bounds similarities below zero: a vector that was not retrieved may be opposite to the query', async () => {
    const data = Float32Array.of(1, 0, -3, 0, 0, 1);
    const index = await XtrIndex.build({ data, lengths: Uint32Array.of(1, 1, 1), columns: 2 });
    const found = await index.search(Float32Array.of(1, 0, -1, 0), { k: 3, tokens: 1 });
    // The longest vector has norm 3, so what was not retrieved is at least -3. Document 1 has it: its MaxSim is -3 + 3.
    expect([...found.rows]).toEqual([0, 1]);
    expect([...found.upper]).toEqual([4, 4]);
    expect(found.lower[0]).toBeCloseTo(-2, 4);
    expect(found.lower[1]).toBeCloseTo(0, 4);
    expect(found.lower[1]).toBeLessThanOrEqual(0);
    expect(found.certified).toBe(false);
    index.dispose();
  });

  it('takes one document, and equal documents, which nothing tells apart', async () => {
    const one = await XtrIndex.build({ data: Float32Array.of(3, 4), lengths: Uint32Array.of(1), columns: 2 });
    expect(await one.search(Float32Array.of(1, 0), { k: 1 })).toMatchObject({
      rows: Uint32Array.of(0),
      scores: Float64Array.of(3),
      certified: true,
    });
    const data = new Float32Array(12).fill(1);
    const equal = await XtrIndex.build({ data, lengths: Uint32Array.of(2, 1, 3), columns: 2 });
    const found = await equal.search(Float32Array.of(1, 0), { k: 2 });
    expect([[...found.rows], found.certified]).toEqual([[0, 1], false]);
  });

  it('refuses what it cannot do', async () => {
    const refused = (options: object) => XtrIndex.build(documents, options as never);
    await expect(refused({ metric: 'l2' })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    await expect(refused({ bits: 2 })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    await expect(refused({ signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'ABORTED' });
    const hollow = { data: new Float32Array(2), lengths: Uint32Array.of(1, 0), columns: 2 };
    await expect(XtrIndex.build(hollow)).rejects.toMatchObject({ code: 'EMPTY_DOCUMENT' });
    const empty = { data: new Float32Array(0), lengths: new Uint32Array(0), columns: 2 };
    await expect(XtrIndex.build(empty)).rejects.toMatchObject({ code: 'EMPTY_INDEX' });
    const index = await XtrIndex.build(documents);
    const search = (options: object) => index.search(queries[0]!, { k: 3, ...options });
    await expect(search({ k: 201 })).rejects.toMatchObject({ code: 'K_OUT_OF_RANGE' });
    await expect(search({ tokens: 0 })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    await expect(search({ probes: 1 })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    index.dispose();
    await expect(search({})).rejects.toMatchObject({ code: 'INDEX_DISPOSED' });
  });
});
