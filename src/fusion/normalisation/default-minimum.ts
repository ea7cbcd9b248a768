import { type RankedList, rowsOfAny } from '../../ranking/ranked-list.js';
import { finiteScores } from './finite-scores.js';

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
 * The lists with every row of any of them: `value(list)`, at most the list's least score, for those that a list lacks; nothing
 * where it is undefined.
 */
export function filled(
  lists: readonly RankedList[],
  value: (list: RankedList) => number | undefined,
): RankedList[] {
  const all = rowsOfAny(lists);
  return lists.map((list) => {
    const least = value(finiteScores(list));
    if (least === undefined) return list;
    const own = new Set(list.rows);
    const missing = all.filter((row) => !own.has(row));
    const rows = new Uint32Array(all.length);
    rows.set(list.rows);
    rows.set(missing, list.rows.length);
    // Those with the least score stand at the end, by row.
    const equal = list.scores.indexOf(least);
    rows.subarray(equal === -1 ? list.rows.length : equal).sort();
    const scores = new Float64Array(all.length).fill(least);
    scores.set(list.scores);
    return { rows, scores };
  });
}
