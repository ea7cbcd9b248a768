import { checkKeys } from '../../index/arguments.js';
import type { Floats, ListLoss } from './loss-arguments.js';
import { mixLosses } from './mix-losses.js';
import { pointwiseCrossEntropy } from './pointwise-cross-entropy.js';
import { rankNet } from './rank-net.js';

/** Options of {@link biGranularRelevance}. */
export interface BiGranularRelevanceOptions {
  /** Weight of the order of pairs; 0.5 by default. */
  readonly fine?: number | undefined;
  /** Weight of relevant or not; 0.3 by default. */
  readonly coarse?: number | undefined;
  /** Of the fine part: pairs count whose labels differ by more; 0.1 by default. */
  readonly margin?: number | undefined;
  /** Of the coarse part; 0.8 by default. The released code warms up with 0.7 and the coarse part alone. */
  readonly negativeWeight?: number | undefined;
}

/**
 * REAR's bi-granular relevance: L = fine `rankNet` (hard targets) + coarse `pointwiseCrossEntropy` (labels from 0.5 on are positives).
 * O(n^2).
 *
 * Source: "REAR: A Relevance-Aware Retrieval-Augmented Framework for Open-Domain Question Answering" (2024); weights of its released code.
 *
 * @param labels - graded relevances, 0 to 1
 * @throws GranuleError `INVALID_ARGUMENT`, `LENGTH_MISMATCH`, `NOT_FINITE`
 */
export function biGranularRelevance(
  scores: Floats,
  labels: Floats,
  options: BiGranularRelevanceOptions = {},
): ListLoss {
  checkKeys(options, ['fine', 'coarse', 'margin', 'negativeWeight']);
  const { fine = 0.5, coarse = 0.3, margin = 0.1, negativeWeight = 0.8 } = options;
  return mixLosses([
    { loss: rankNet(scores, labels, { margin }), weight: fine },
    { loss: pointwiseCrossEntropy(scores, labels, { negativeWeight }), weight: coarse },
  ]);
}
