import { checkKeys } from '../../index/arguments.js';
import type { Matrix } from '../../vectors/matrix.js';
import { type QueryWeightOptions, weightedMean, weightedSum } from './query-reduction.js';

/**
 * MaxSim, or Chamfer similarity: sum over i of w_i max over j of s_ij, as `MultiVectorIndex` scores (whose result is this,
 * rounded to float32, where the weights are 1). Not symmetric. O(n_q n_d). ColBERT: Efficient and Effective Passage Search via
 * Contextualized Late Interaction over BERT (2020).
 *
 * @param tile - n_q x n_d similarities; `similarityTile` makes it
 * @returns -Infinity where n_d is 0
 * @throws GranuleError `INVALID_ARGUMENT`, `LENGTH_MISMATCH`
 */
export function maxSim(tile: Matrix, options: QueryWeightOptions = {}): number {
  checkKeys(options, ['weights']);
  return weightedSum(tile, options.weights, greatest);
}

/**
 * MaxSim divided by the sum of the weights, by n_q without weights: comparable among queries of different length, for
 * thresholds and fusion. Vectors of zeros that pad a query lower it; leave them out. O(n_q n_d).
 *
 * @param tile - n_q x n_d similarities; `similarityTile` makes it
 * @returns -Infinity where n_d is 0
 * @throws GranuleError `INVALID_ARGUMENT` (also where all weights are 0), `LENGTH_MISMATCH`
 */
export function meanMaxSim(tile: Matrix, options: QueryWeightOptions = {}): number {
  checkKeys(options, ['weights']);
  return weightedMean(tile, options.weights, greatest);
}

/** The greatest of one or more similarities. */
export function greatest(similarities: Float32Array): number {
  let most = similarities[0]!;
  for (let j = 1; j < similarities.length; j++) if (similarities[j]! > most) most = similarities[j]!;
  return most;
}
