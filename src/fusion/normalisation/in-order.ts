import { type RankedList, rankedList } from '../../ranking/ranked-list.js';

/**
 * A ranked list of rows that are mostly in their order already: what is, is not sorted again, which takes far longer than looking.
 *
 * @param rows - distinct; kept
 * @param scores - as many as rows; kept
 * @throws GranuleError `NOT_FINITE` for NaN
 */
export function inOrder(rows: Uint32Array, scores: Float64Array): RankedList {
  for (let place = 0; place < rows.length; place++) {
    const better =
      place === 0
        ? !Number.isNaN(scores[0]!)
        : scores[place - 1]! > scores[place]! ||
          (scores[place - 1] === scores[place] && rows[place - 1]! < rows[place]!);
    if (!better) return rankedList(rows, scores);
  }
  return { rows, scores };
}
