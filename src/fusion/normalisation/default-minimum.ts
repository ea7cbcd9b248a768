import { type RankedList, rowsOfAny } from '../../ranking/ranked-list.js';
import { finiteScores } from './finite-scores.js';
import { inOrder } from './in-order.js';

/**
 * Default minimum: every row that is in one of the lists is in all of them afterwards; a list that lacked it gives it the list's
 * least score. For several lists of one query, before they are normalised. An empty list has no least score and
 * stays empty. O(lists x rows of all x log).
 *
 * Source: the released code of Lerner et al., "ViQuAE, a Dataset for Knowledge-based Visual Question Answering about Named
 * Entities" (2022).
 *
 * @throws GranuleError `NOT_FINITE` for an infinite score
 */
export function defaultMinimum(lists: readonly RankedList[]): RankedList[] {
  return filled(lists, ({ scores }) => scores.at(-1));
}

/**
 * The lists with every row of any of them: `value(list)` for those that a list lacks, nothing where it is undefined.
 */
export function filled(
  lists: readonly RankedList[],
  value: (list: RankedList) => number | undefined,
): RankedList[] {
  const all = rowsOfAny(lists);
  return lists.map((list) => {
    const missingScore = value(finiteScores(list));
    if (missingScore === undefined) return list;
    const own = new Set(list.rows);
    const missing = all.filter((row) => !own.has(row));
    const rows = new Uint32Array(list.rows.length + missing.length);
    rows.set(list.rows);
    rows.set(missing, list.rows.length);
    const scores = new Float64Array(rows.length).fill(missingScore);
    scores.set(list.scores);
    return inOrder(rows, scores);
  });
}
