import type { RankedList } from '../../ranking/ranked-list.js';
import { checkNormalisation, type NormalisationOptions } from './finite-scores.js';
import { globalStatistics, standardised } from './global-zmuv-norm.js';

/**
 * Zero mean and unit variance within one list: s' = (s - mean) / max(deviation, 1e-9), with the mean and the population's standard
 * deviation of the list's own scores. Equal scores become 0; an empty list stays empty. O(n log n).
 *
 * Every query is brought to the same scale, so a query for which a retriever found nothing good looks like one for which
 * it did. `globalZmuvNorm` keeps that difference; the two rank differently once lists are fused.
 *
 * Source: Montague and Aslam, "Relevance Score Normalization for Metasearch" (2001).
 *
 * @throws GranuleError `INVALID_ARGUMENT`, `NOT_FINITE` for an infinite score
 */
export function zmuvNorm(list: RankedList, options: NormalisationOptions = {}): RankedList {
  checkNormalisation(list, options);
  if (list.rows.length === 0) return list;
  return standardised(list, globalStatistics([list]));
}
