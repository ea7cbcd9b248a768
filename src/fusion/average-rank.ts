import { checkKeys } from '../index/arguments.js';
import { type RankedList, rankedList } from '../ranking/ranked-list.js';
import { checkLists, weightShares } from './fusion-arguments.js';
import { filled } from './normalisation/default-minimum.js';
import { sumByRow } from './sum-by-row.js';

/** Options of the methods that read ranks and weigh lists. */
export interface RankFusionOptions {
  /** The name in `FUSION_METHODS` under which the method was called; not read. */
  readonly method?: string | undefined;
  /** One per list, at least 0; divided by their sum. Equal by default. */
  readonly weights?: readonly number[] | undefined;
}

/**
 * Average rank: s(d) = 1 / (sum_m w_m rank_m(d) + 1e-6), ranks from 1, the weights adding up to 1. In a list that lacks d it has the rank
 * after the last; scores are not read. O(lists x rows of all), and the sorting.
 *
 * Source: a baseline in "Guided Query Refinement: Multimodal Hybrid Retrieval with Test-Time Optimization" (2025).
 *
 * @param options - equal `weights` by default
 * @throws GranuleError `INVALID_ARGUMENT`, `LENGTH_MISMATCH`
 */
export function averageRank(lists: readonly RankedList[], options: RankFusionOptions = {}): RankedList {
  checkLists(lists);
  checkKeys(options, ['method', 'weights']);
  const weights = weightShares(options.weights, lists);
  const ranks = filled(
    lists.map(({ rows, scores }) => ({ rows, scores: scores.map((_, place) => -(place + 1)) })),
    ({ rows }) => -(rows.length + 1),
  );
  const { rows, sums } = sumByRow(ranks, (list, place) => weights[list]! * ranks[list]!.scores[place]!);
  return rankedList(
    rows,
    sums.map((sum) => 1 / (1e-6 - sum)),
  );
}
