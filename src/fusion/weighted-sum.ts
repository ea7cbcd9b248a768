import { type RankedList, rankedList } from '../ranking/ranked-list.js';
import { checkWeights } from './fusion-arguments.js';
import { normalisedLists, type ScoreFusionOptions } from './score-fusion.js';
import { sumByRow } from './sum-by-row.js';

/** Options of `weightedSum`. */
export interface WeightedSumOptions extends ScoreFusionOptions {
  /** One finite number per list, taken as they are; no default. `tuneWeights` finds them. */
  readonly weights: readonly number[];
}

/**
 * Weighted sum: s(d) = sum_m w_m norm_m(s_m(d)), with weights of any sum and sign. A list that lacks d adds nothing, or
 * its least score with `missing: 'minimum'`. O(places x lists), and the sorting.
 *
 * Source: Vogt and Cottrell, "Fusion Via a Linear Combination of Scores" (1999).
 *
 * @param options - `weights`; `normalisation` `min-max`, `missing` `zero` by default
 * @throws GranuleError `INVALID_ARGUMENT`, `LENGTH_MISMATCH`, `NOT_FINITE` for an infinite score
 */
export function weightedSum(lists: readonly RankedList[], options: WeightedSumOptions): RankedList {
  const normalised = normalisedLists(lists, options, { normalisation: 'min-max', missing: 'zero' });
  const weights = checkWeights(options.weights, lists);
  const { rows, sums } = sumByRow(
    normalised,
    (list, place) => weights[list]! * normalised[list]!.scores[place]!,
  );
  return rankedList(rows, sums);
}
