import { type RankedList, rankedList } from '../ranking/ranked-list.js';
import { weightShares } from './fusion-arguments.js';
import { normalisedLists, type ScoreFusionOptions } from './score-fusion.js';
import { sumByRow } from './sum-by-row.js';

/** Options of `combSum` and `combMnz`. */
export interface CombinationOptions extends ScoreFusionOptions {
  /** One per list, at least 0; divided by their sum. Equal by default. */
  readonly weights?: readonly number[] | undefined;
}

/**
 * CombSUM: s(d) = sum_m w_m norm_m(s_m(d)), the weights adding up to 1. A list that lacks d adds nothing.
 * O(places x lists), and the sorting.
 *
 * Source: Fox and Shaw, "Combination of Multiple Searches" (1994).
 *
 * @param options - `normalisation` `min-max`, `missing` `zero`, equal `weights` by default
 * @throws GranuleError `INVALID_ARGUMENT`, `LENGTH_MISMATCH`, `NOT_FINITE` for an infinite score
 */
export function combSum(lists: readonly RankedList[], options: CombinationOptions = {}): RankedList {
  const normalised = normalisedLists(lists, options, { normalisation: 'min-max', missing: 'zero' });
  const weights = weightShares(options.weights, lists);
  const { rows, sums } = sumByRow(
    normalised,
    (list, place) => weights[list]! * normalised[list]!.scores[place]!,
  );
  return rankedList(rows, sums);
}
