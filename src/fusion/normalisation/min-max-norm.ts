import type { RankedList } from '../../ranking/ranked-list.js';
import { checkNormalisation, type NormalisationOptions, rescored } from './finite-scores.js';

/**
 * From 0 to 1: s' = (s - min) / (max - min) within one list. Where all scores are equal, a single one included, all become 0: the
 * list then says nothing. An empty list stays empty. O(n log n).
 *
 * Source: Lee, "Analyses of Multiple Evidence Combination" (1997).
 *
 * @throws GranuleError `INVALID_ARGUMENT`, `NOT_FINITE` for an infinite score
 */
export function minMaxNorm(list: RankedList, options: NormalisationOptions = {}): RankedList {
  checkNormalisation(list, options);
  const greatest = list.scores[0]!;
  const least = list.scores.at(-1)!;
  if (greatest === least) return rescored(list, () => 0);
  return rescored(list, (score) => (score - least) / (greatest - least));
}
