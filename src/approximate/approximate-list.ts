import { GranuleError } from '../errors.js';
import type { RankedList } from '../ranking/ranked-list.js';

/**
 * What an approximate search found. The scores are those of the rows that it names, but rows that were left out may be better:
 * nothing bounds them.
 */
export interface ApproximateList extends RankedList {
  readonly approximate: true;
  /** Rows that were scored as the list is; all others were left out on less than that. */
  readonly rowsScored: number;
}

/**
 * The share of the exact list's first k rows that are among the approximate list's first k; of all its rows where it has fewer.
 * 1 where the exact list has none. O(k).
 *
 * @param k - a positive whole number
 * @throws GranuleError `K_OUT_OF_RANGE`
 */
export function recallAgainst(
  exact: Pick<RankedList, 'rows'>,
  approximate: Pick<RankedList, 'rows'>,
  k: number,
): number {
  if (!Number.isSafeInteger(k) || k < 1) {
    throw new GranuleError('K_OUT_OF_RANGE', `k must be a positive integer, got ${k}`, { k });
  }
  const expected = exact.rows.subarray(0, k);
  if (expected.length === 0) return 1;
  const found = new Set(approximate.rows.subarray(0, k));
  return expected.filter((row) => found.has(row)).length / expected.length;
}
