import type { RankedList } from '../../ranking/ranked-list.js';
import { checkNormalisation, type NormalisationOptions, rescored } from './finite-scores.js';

/**
 * Places instead of scores: s' = 1 - (rank - 1) / n, ranks from 1, so the best of n has 1 and the last 1 / n. Equal scores have
 * different ranks, the lower row the better. An empty list stays empty. O(n log n).
 *
 * @throws GranuleError `INVALID_ARGUMENT`, `NOT_FINITE` for an infinite score
 */
export function rankNorm(list: RankedList, options: NormalisationOptions = {}): RankedList {
  checkNormalisation(list, options);
  const { length } = list.rows;
  return rescored(list, (_, place) => 1 - place / length);
}
