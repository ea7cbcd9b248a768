/** Sparse rows for tests, and what a search of them must return, found in the slowest way. */
import { expect } from 'vitest';
import type { Hits, Saturation, SparseIndex, SparseMatrix } from '../../../src/index.js';
import { Seeded } from '../../conformance/seeded.js';

/** A row as an application has it. */
export interface SparseRow {
  readonly entries: ReadonlyMap<number, number>;
  readonly length: number;
}

export function sparseMatrix(rows: readonly SparseRow[]): SparseMatrix {
  const entries = rows.map((row) => [...row.entries].sort(([a], [b]) => a - b));
  return {
    lengths: Uint32Array.from(entries, ({ length }) => length),
    terms: Uint32Array.from(entries.flat(), ([term]) => term),
    values: Float32Array.from(entries.flat(), ([, value]) => value),
  };
}

export const rowLengths = (rows: readonly SparseRow[]) => Float32Array.from(rows, ({ length }) => length);

/** Low terms are frequent, values few, so that scores tie; some rows are empty. */
export function sparseRows(count: number, seed: number, terms = 40): SparseRow[] {
  const seeded = new Seeded(seed);
  return Array.from({ length: count }, () => {
    const entries = new Map<number, number>();
    for (let i = seeded.integer(10); i > 0; i--) {
      entries.set(seeded.integer(1 + seeded.integer(terms)) * 0x0600_0001, (1 + seeded.integer(3)) / 4);
    }
    return { entries, length: seeded.integer(16) };
  });
}

export async function sparseIndex(index: SparseIndex, rows: readonly SparseRow[]): Promise<SparseIndex> {
  await index.add(sparseMatrix(rows), index.saturating ? { lengths: rowLengths(rows) } : {});
  return index;
}

/** The k best rows and their scores. */
export function bestRows(
  rows: readonly SparseRow[],
  query: SparseRow,
  k: number,
  saturation?: Saturation,
  allowed: (row: number) => boolean = () => true,
): { rows: number[]; scores: number[] } {
  const terms = [...query.entries.keys()].sort((a, b) => a - b);
  const found = rows.flatMap(({ entries, length }, row) => {
    const shared = terms.filter((term) => entries.has(term));
    if (shared.length === 0 || !allowed(row)) return [];
    let sum = 0;
    for (const term of shared) {
      const value = Math.fround(entries.get(term)!);
      const saturated = saturation ? value / (value + (saturation.base + saturation.slope * length)) : value;
      sum += Math.fround(query.entries.get(term)!) * saturated;
    }
    return [{ row, score: Math.fround(sum) }];
  });
  found.sort((a, b) => b.score - a.score || a.row - b.row);
  const best = found.slice(0, k);
  return { rows: best.map(({ row }) => row), scores: best.map(({ score }) => score) };
}

/** Holds the hits of each query to `bestRows`. */
export function expectBest(hits: Hits, expected: readonly { rows: number[]; scores: number[] }[]): void {
  for (const [query, { rows, scores }] of expected.entries()) {
    expect(hits.counts[query]).toBe(rows.length);
    const begin = query * hits.k;
    expect([...hits.rows.subarray(begin, begin + rows.length)]).toEqual(rows);
    expect([...hits.scores.subarray(begin, begin + rows.length)]).toEqual(scores);
    const unused = hits.rows.subarray(begin + rows.length, begin + hits.k);
    expect(unused.every((row) => row === 0xffff_ffff)).toBe(true);
  }
}
