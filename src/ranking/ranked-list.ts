import { GranuleError } from '../errors.js';
import type { Hits } from '../index/hits.js';

/**
 * The rows that were found for one query, best first: score descending, then row ascending. Every row is there at most once;
 * scores are numbers, -Infinity and Infinity included.
 */
export interface RankedList {
  readonly rows: Uint32Array;
  /** As many as rows. */
  readonly scores: Float64Array;
}

/**
 * Sorts rows by their scores.
 *
 * @param rows - distinct integers from 0 to 2^32 - 1, in any order
 * @param scores - as many as rows; a greater one is better
 * @throws GranuleError `LENGTH_MISMATCH`; `NOT_FINITE` for NaN; `INVALID_ARGUMENT` for a row that is no row number or comes twice
 */
export function rankedList(rows: ArrayLike<number>, scores: ArrayLike<number>): RankedList {
  if (rows.length !== scores.length) {
    throw new GranuleError('LENGTH_MISMATCH', `${rows.length} rows have ${scores.length} scores`, {
      rows: rows.length,
      scores: scores.length,
    });
  }
  const seen = new Set<number>();
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i]!;
    if (!Number.isInteger(row) || row < 0 || row > 0xffffffff || seen.has(row)) {
      const reason = seen.has(row) ? 'comes twice' : 'is no row number';
      throw new GranuleError('INVALID_ARGUMENT', `row ${row} ${reason}`, { row });
    }
    seen.add(row);
    if (Number.isNaN(scores[i]!)) {
      throw new GranuleError('NOT_FINITE', `the score of row ${row} is not a number`, { row });
    }
  }
  const order = Uint32Array.from({ length: rows.length }, (_, i) => i);
  order.sort((a, b) => compareScores(scores[a]!, scores[b]!) || rows[a]! - rows[b]!);
  return {
    rows: Uint32Array.from(order, (i) => rows[i]!),
    scores: Float64Array.from(order, (i) => scores[i]!),
  };
}

/** A search's hits as ranked lists, one per query. */
export function rankedLists({ queries, k, rows, scores, counts }: Hits): RankedList[] {
  return Array.from({ length: queries }, (_, query) => {
    const first = query * k;
    const end = first + counts[query]!;
    return { rows: rows.slice(first, end), scores: Float64Array.from(scores.subarray(first, end)) };
  });
}

/** The first k places of a list, or all there are. */
export function firstPlaces({ rows, scores }: RankedList, k: number): RankedList {
  if (!Number.isSafeInteger(k) || k < 1) {
    throw new GranuleError('K_OUT_OF_RANGE', `k must be a positive integer, got ${k}`, { k });
  }
  return { rows: rows.slice(0, k), scores: scores.slice(0, k) };
}

/** Every row that is in one of the lists, ascending. */
export function rowsOfAny(lists: readonly RankedList[]): Uint32Array {
  const all = new Set<number>();
  for (const { rows } of lists) for (const row of rows) all.add(row);
  return Uint32Array.from(all).sort();
}

/** Descending; equal infinities are equal. */
function compareScores(a: number, b: number): number {
  return a === b ? 0 : b - a;
}
