import type { RankedList } from '../../ranking/ranked-list.js';
import { checkNormalisation, type NormalisationOptions, rescored } from './finite-scores.js';

/**
 * Shares of one: s' = (s - min) / sum_j (s_j - min) within one list. Where all scores are equal, all become 0; an empty list stays
 * empty. O(n log n).
 *
 * Source: Montague and Aslam, "Relevance Score Normalization for Metasearch" (2001).
 *
 * @throws GranuleError `INVALID_ARGUMENT`, `NOT_FINITE` for an infinite score
 */
export function sumNorm(list: RankedList, options: NormalisationOptions = {}): RankedList {
  checkNormalisation(list, options);
  const least = list.scores.at(-1)!;
  const sum = list.scores.reduce((total, score) => total + (score - least), 0);
  return rescored(list, (score) => (sum === 0 ? 0 : (score - least) / sum));
}
