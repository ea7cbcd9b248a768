import { checkTemperature } from '../../index/arguments.js';
import type { RankedList } from '../../ranking/ranked-list.js';
import { checkNormalisation, type NormalisationOptions, rescored } from './finite-scores.js';

/** Options of `softmaxNorm`. */
export interface SoftmaxNormOptions extends NormalisationOptions {
  /** t in exp(s / t): finite, above 0; 1 by default. Inner products of unit vectors need about 0.01. */
  readonly temperature?: number | undefined;
}

/**
 * Retrieval probabilities: p_i = exp(s_i / t) / sum_j exp(s_j / t) over the places of the list, not over the corpus, with the greatest
 * score subtracted. An empty list stays empty. O(n log n).
 *
 * At t = 1 the inner products of unit vectors give an almost uniform distribution: the best is at most e^2 times as probable
 * as the worst.
 *
 * Source: Lewis et al., "Retrieval-Augmented Generation for Knowledge-Intensive NLP Tasks" (2020).
 *
 * @throws GranuleError `INVALID_ARGUMENT`, `TEMPERATURE_INVALID`, `NOT_FINITE` for an infinite score
 */
export function softmaxNorm(list: RankedList, options: SoftmaxNormOptions = {}): RankedList {
  checkNormalisation(list, options, ['temperature']);
  const temperature = checkTemperature(options.temperature ?? 1);
  const greatest = list.scores[0]!;
  const terms = list.scores.map((score) => Math.exp((score - greatest) / temperature));
  const sum = terms.reduceRight((total, term) => total + term, 0);
  return rescored(list, (_, place) => terms[place]! / sum);
}
