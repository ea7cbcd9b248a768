import { checkKeys } from '../index/arguments.js';
import { type RankedList, rankedList } from '../ranking/ranked-list.js';
import type { RankFusionOptions } from './average-rank.js';
import { checkLists, weightShares } from './fusion-arguments.js';
import { filled } from './normalisation/default-minimum.js';
import { sumByRow } from './sum-by-row.js';

/**
 * Borda count: of N rows in any of the lists, a list gives 1 - (rank - 1) / N to each of its n rows, ranks from 1, and what would be left for
 * the rest, in equal parts, to each row that it lacks: (N - n + 1) / (2N). s(d) is the weighted sum, the weights adding up to 1.
 * Scores are not read. O(lists x N), and the sorting.
 *
 * Source: Aslam and Montague, "Models for Metasearch" (2001).
 *
 * @param options - equal `weights` by default
 * @throws GranuleError `INVALID_ARGUMENT`, `LENGTH_MISMATCH`
 */
export function bordaCount(lists: readonly RankedList[], options: RankFusionOptions = {}): RankedList {
  checkLists(lists);
  checkKeys(options, ['method', 'weights']);
  const weights = weightShares(options.weights, lists);
  const candidates = new Set(lists.flatMap(({ rows }) => [...rows])).size;
  // Twice the points, which are whole numbers: equal sums stay equal.
  const points = filled(
    lists.map(({ rows, scores }) => ({ rows, scores: scores.map((_, place) => 2 * (candidates - place)) })),
    ({ rows }) => candidates - rows.length + 1,
  );
  const { rows, sums } = sumByRow(points, (list, place) => weights[list]! * points[list]!.scores[place]!);
  return rankedList(
    rows,
    sums.map((sum) => sum / (2 * candidates)),
  );
}
