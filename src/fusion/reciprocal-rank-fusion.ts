import { GranuleError } from '../errors.js';
import { checkKeys, show } from '../index/arguments.js';
import { type RankedList, rankedList } from '../ranking/ranked-list.js';
import { checkLists, weightShares } from './fusion-arguments.js';
import { sumByRow } from './sum-by-row.js';

/** Options of `reciprocalRankFusion`. */
export interface ReciprocalRankFusionOptions {
  /** The name in `FUSION_METHODS` under which the method was called; not read. */
  readonly method?: string | undefined;
  /** Added to every rank: a finite number of at least 0, 60 by default. */
  readonly k?: number | undefined;
  /** One per list, at least 0; scaled so that their mean is 1. Equal by default. */
  readonly weights?: readonly number[] | undefined;
}

/**
 * Reciprocal rank fusion: s(d) = sum_m w_m / (k + rank_m(d)), ranks from 1. A list that lacks d adds nothing; scores are not read.
 * Weights are scaled to a mean of 1, so equal ones give the plain form, and [a, 1 - a] the weighted one for two lists:
 * 2a / (k + rank_1) + 2(1 - a) / (k + rank_2). O(places x lists), and the sorting.
 *
 * Sources: Cormack et al., "Reciprocal Rank Fusion outperforms Condorcet and individual Rank Learning Methods" (2009); the weighted form is
 * a baseline in "Guided Query Refinement: Multimodal Hybrid Retrieval with Test-Time Optimization" (2025).
 *
 * @param options - `k` 60, equal `weights` by default
 * @throws GranuleError `INVALID_ARGUMENT`, `LENGTH_MISMATCH`
 */
export function reciprocalRankFusion(
  lists: readonly RankedList[],
  options: ReciprocalRankFusionOptions = {},
): RankedList {
  checkLists(lists);
  checkKeys(options, ['method', 'k', 'weights']);
  const { k = 60 } = options;
  if (!Number.isFinite(k) || k < 0) {
    throw new GranuleError('INVALID_ARGUMENT', `k must be a finite number of at least 0, got ${show(k)}`);
  }
  const weights =
    options.weights === undefined
      ? lists.map(() => 1)
      : weightShares(options.weights, lists).map((share) => share * lists.length);
  const { rows, sums } = sumByRow(lists, (list, place) => weights[list]! / (k + place + 1));
  return rankedList(rows, sums);
}
