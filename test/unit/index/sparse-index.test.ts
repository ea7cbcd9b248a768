import { describe, expect, it } from 'vitest';
import { rowFilter, SparseIndex } from '../../../src/index.js';
import { failing } from './saved-index.js';
import {
  bestRows,
  expectBest,
  rowLengths,
  type SparseRow,
  sparseIndex,
  sparseMatrix,
  sparseRows,
} from './sparse-rows.js';

const SATURATION = { base: 0.3, slope: 0.07 };
const QUERY = { lengths: Uint32Array.of(1), terms: Uint32Array.of(8), values: Float32Array.of(1) };
// biome-ignore lint/suspicious/noExplicitAny: callers in JavaScript pass anything
const wrong = (value: unknown) => value as any;
const row = (entries: [number, number][], length = 1): SparseRow => ({ entries: new Map(entries), length });

async function small(saturating = false): Promise<SparseIndex> {
  return sparseIndex(new SparseIndex({ saturating }), [
    row([
      [3, 1],
      [8, 0.5],
    ]),
    row([[8, 2]]),
  ]);
}

describe('a sparse search', () => {
  it.each([1, 2, 8])('gives the rows and scores of the definition on %i threads', async (threads) => {
    const rows = sparseRows(500, threads);
    const queries = sparseRows(20, 99);
    const index = await sparseIndex(new SparseIndex({ threads, saturating: true }), rows);
    const removed = [1, 2, 3, 250, 499];
    expect(await index.remove(Uint32Array.from(removed))).toBe(5);
    const filter = rowFilter(
      rows.length,
      Array.from(rows.keys()).filter((r) => r % 3 !== 0),
    );
    const live = (r: number) => !removed.includes(r);
    for (const k of [1, 7, 500]) {
      for (const saturation of [undefined, SATURATION]) {
        const hits = await index.search(sparseMatrix(queries), { k, saturation });
        expectBest(
          hits,
          queries.map((query) => bestRows(rows, query, k, saturation, live)),
        );
        const filtered = await index.search(sparseMatrix(queries), { k, saturation, filter });
        const allowed = (r: number) => live(r) && r % 3 !== 0;
        expectBest(
          filtered,
          queries.map((query) => bestRows(rows, query, k, saturation, allowed)),
        );
      }
    }
  });

  it('gives the same bits for one add and for many small ones', async () => {
    const rows = sparseRows(300, 5);
    const queries = sparseMatrix(sparseRows(10, 6));
    const whole = await sparseIndex(new SparseIndex(), rows);
    const parts = new SparseIndex();
    for (let begin = 0; begin < rows.length; begin += 7) {
      const { length } = rows.slice(0, begin);
      expect(await parts.add(sparseMatrix(rows.slice(begin, begin + 7)))).toBe(length);
    }
    const [a, b] = [await whole.search(queries, { k: 9 }), await parts.search(queries, { k: 9 })];
    expect(b.rows).toEqual(a.rows);
    expect(b.scores).toEqual(a.scores);
    const terms = Uint32Array.from({ length: 40 }, (_, i) => i * 0x0600_0001);
    expect(parts.documentFrequencies(terms)).toEqual(whole.documentFrequencies(terms));
    expect(parts.postings).toBe(whole.postings);
  });

  it('finds nothing for a query of no terms, or of terms that no row holds', async () => {
    const index = await small();
    const queries = sparseMatrix([row([]), row([[5, 1]]), row([[8, 0]])]);
    const hits = await index.search(queries, { k: 2, temperature: 1 });
    expect([...hits.counts]).toEqual([0, 0, 2]);
    expect([...hits.rows]).toEqual([...Array(4).fill(0xffff_ffff), 0, 1]);
    expect([...hits.probabilities!]).toEqual([0, 0, 0, 0, 0.5, 0.5]);
    expect([...hits.certificate.thresholds]).toEqual([-Infinity, -Infinity, 0]);
    expect(hits.certificate.rowsScanned).toBe(2);
    expect([...hits.certificate.rowsRescored]).toEqual([0, 0, 2]);
  });

  it('stops when it is aborted', async () => {
    const index = await small();
    const aborted = AbortSignal.abort(new Error('enough'));
    await expect(index.search(QUERY, { k: 1, signal: aborted })).rejects.toEqual(failing('ABORTED'));
    await expect(index.add(sparseMatrix(sparseRows(9, 1)), { signal: aborted })).rejects.toEqual(
      failing('ABORTED'),
    );
    expect(index.rows).toBe(2);
  });
});

describe('a sparse index', () => {
  it('counts rows, postings, lengths and frequencies, removed rows included until it is compacted', async () => {
    const rows = [
      row([[1, 1]], 0.1),
      row([]),
      row(
        [
          [1, 2],
          [0xffff_ffff, 3],
        ],
        0.2,
      ),
      row([[1, 1]], 0.7),
    ];
    const index = await sparseIndex(new SparseIndex({ saturating: true }), rows);
    const [a, b, c, d] = rowLengths(rows);
    expect(index).toMatchObject({ rows: 4, removedRows: 0, postings: 4, totalLength: a! + b! + c! + d! });
    expect([...index.documentFrequencies(Uint32Array.of(1, 0xffff_ffff, 7, 1))]).toEqual([3, 1, 0, 3]);
    expect(await index.remove(Uint32Array.of(0, 0, 1))).toBe(2);
    expect(index).toMatchObject({ rows: 4, removedRows: 2, postings: 4 });
    expect([...index.documentFrequencies(Uint32Array.of(1))]).toEqual([3]);
    expect([...(await index.compact())]).toEqual([2, 3]);
    expect(index).toMatchObject({ rows: 2, removedRows: 0, postings: 3, totalLength: c! + d! });
    expect([...index.documentFrequencies(Uint32Array.of(1))]).toEqual([2]);
    expect(index.bytes).toBeGreaterThan(0);
  });

  it('runs changes in the order of the calls, beside searches', async () => {
    const index = await small();
    const rows = sparseRows(200, 3);
    const searches = [index.search(QUERY, { k: 2 })];
    const adds = rows.map((each) => index.add(sparseMatrix([each])));
    const removal = index.remove(Uint32Array.of(0));
    const former = index.compact();
    searches.push(index.search(QUERY, { k: 2 }));
    expect(await Promise.all(adds)).toEqual(rows.map((_, i) => i + 2));
    expect(await removal).toBe(1);
    expect((await former)[0]).toBe(1);
    expect(index.rows).toBe(201);
    for (const hits of await Promise.all(searches)) expect(hits.rows[0]).toBe(1);
  });

  it('is empty once disposed, and refuses every call', async () => {
    const index = await small();
    await index[Symbol.asyncDispose]();
    expect(index).toMatchObject({ rows: 0, removedRows: 0, postings: 0, totalLength: 0, bytes: 0 });
    const disposed = failing('INDEX_DISPOSED');
    await expect(index.search(QUERY, { k: 1 })).rejects.toEqual(disposed);
    await expect(index.add(QUERY)).rejects.toEqual(disposed);
    await expect(index.compact()).rejects.toEqual(disposed);
    expect(() => index.documentFrequencies(Uint32Array.of(1))).toThrow(disposed);
  });

  const NO_ROWS = { lengths: new Uint32Array(), terms: new Uint32Array(), values: new Float32Array() };
  const LENGTHS = { lengths: Float32Array.of(1) };
  type Call = (plain: SparseIndex, saturating: SparseIndex) => unknown;
  it.each<[string, string, Call]>([
    ['an unknown option', 'INVALID_ARGUMENT', () => new SparseIndex(wrong({ metric: 'ip' }))],
    ['threads below 0', 'INVALID_ARGUMENT', () => new SparseIndex({ threads: -1 })],
    ['saturating: 1', 'INVALID_ARGUMENT', () => new SparseIndex({ saturating: wrong(1) })],
    ['a search of no rows', 'EMPTY_INDEX', () => new SparseIndex().search(QUERY, { k: 1 })],
    ['vectors for rows', 'INVALID_ARGUMENT', (plain) => plain.add(wrong(new Float32Array(4)))],
    ['arrays for terms', 'INVALID_ARGUMENT', (plain) => plain.add({ ...QUERY, terms: wrong([8]) })],
    [
      'doubles for values',
      'INVALID_ARGUMENT',
      (plain) => plain.add({ ...QUERY, values: wrong(new Float64Array(1)) }),
    ],
    ['a value too few', 'LENGTH_MISMATCH', (plain) => plain.add({ ...QUERY, values: new Float32Array() })],
    [
      'lengths that add up to less',
      'LENGTH_MISMATCH',
      (plain) => plain.add({ ...QUERY, lengths: Uint32Array.of(0) }),
    ],
    ['a NaN', 'NOT_FINITE', (plain) => plain.add({ ...QUERY, values: Float32Array.of(NaN) })],
    [
      'an infinite weight',
      'NOT_FINITE',
      (plain) => plain.search({ ...QUERY, values: Float32Array.of(Infinity) }, { k: 1 }),
    ],
    [
      'terms that repeat',
      'INVALID_ARGUMENT',
      (plain) =>
        plain.add({ lengths: Uint32Array.of(2), terms: Uint32Array.of(8, 8), values: Float32Array.of(1, 1) }),
    ],
    ['no query', 'LENGTH_MISMATCH', (plain) => plain.search(NO_ROWS, { k: 1 })],
    ['k beyond the rows', 'K_OUT_OF_RANGE', (plain) => plain.search(QUERY, { k: 3 })],
    ['a temperature of 0', 'TEMPERATURE_INVALID', (plain) => plain.search(QUERY, { k: 1, temperature: 0 })],
    [
      'a filter of two bytes',
      'FILTER_INVALID',
      (plain) => plain.search(QUERY, { k: 1, filter: new Uint8Array(2) }),
    ],
    [
      'an unknown option of search',
      'INVALID_ARGUMENT',
      (plain) => plain.search(QUERY, wrong({ k: 1, b: 0.4 })),
    ],
    [
      'saturation of a plain index',
      'INVALID_ARGUMENT',
      (plain) => plain.search(QUERY, { k: 1, saturation: SATURATION }),
    ],
    [
      'a negative slope',
      'INVALID_ARGUMENT',
      (_, saturating) => saturating.search(QUERY, { k: 1, saturation: { base: 1, slope: -1 } }),
    ],
    [
      'a saturation without slope',
      'INVALID_ARGUMENT',
      (_, saturating) => saturating.search(QUERY, { k: 1, saturation: wrong({ base: 1 }) }),
    ],
    ['lengths for a plain index', 'INVALID_ARGUMENT', (plain) => plain.add(QUERY, LENGTHS)],
    ['no lengths for a saturating one', 'INVALID_ARGUMENT', (_, saturating) => saturating.add(QUERY)],
    [
      'a length too many',
      'LENGTH_MISMATCH',
      (_, saturating) => saturating.add(QUERY, { lengths: new Float32Array(2) }),
    ],
    [
      'a negative length',
      'INVALID_ARGUMENT',
      (_, saturating) => saturating.add(QUERY, { lengths: Float32Array.of(-1) }),
    ],
    [
      'a value of 0 in a saturating index',
      'INVALID_ARGUMENT',
      (_, saturating) => saturating.add({ ...QUERY, values: new Float32Array(1) }, LENGTHS),
    ],
    ['a row that never was', 'ROW_NOT_FOUND', (plain) => plain.remove(Uint32Array.of(2))],
    ['no array of terms', 'INVALID_ARGUMENT', (plain) => plain.documentFrequencies(wrong([1]))],
  ])('refuses %s', async (_, code, call) => {
    const [plain, saturating] = [await small(), await small(true)];
    await expect((async () => call(plain, saturating))()).rejects.toEqual(failing(code));
    expect(plain.rows).toBe(2);
    expect(saturating.rows).toBe(2);
  });

  it('says which row and term are at fault', async () => {
    const index = await small();
    const values = Float32Array.of(1, 2, Number.NaN);
    const rows = { lengths: Uint32Array.of(1, 2), terms: Uint32Array.of(1, 2, 77), values };
    await expect(index.add(rows)).rejects.toMatchObject({
      code: 'NOT_FINITE',
      details: { row: 1, column: 77 },
    });
  });

  it('takes rows without entries, and no rows at all', async () => {
    const index = new SparseIndex();
    expect(await index.add(NO_ROWS)).toBe(0);
    expect(await index.add({ ...NO_ROWS, lengths: new Uint32Array(3) })).toBe(0);
    expect(await index.add(QUERY)).toBe(3);
    expect([...(await index.search(QUERY, { k: 4 })).rows]).toEqual([3, ...Array(3).fill(0xffff_ffff)]);
  });
});
