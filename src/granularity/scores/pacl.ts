import { checkKeys, checkTemperature } from '../../index/arguments.js';
import type { Matrix } from '../../vectors/matrix.js';
import { softmax } from '../softmax.js';
import { type QueryWeightOptions, weightedMean } from './query-reduction.js';

/** Options of `pacl`. */
export interface PaclOptions extends QueryWeightOptions {
  /**
   * The t of the softmax over patches, 1 by default, as published for vectors that were trained with it. With other unit vectors 1 is
   * nearly the mean of all patches; they need a t near 0.01.
   */
  readonly temperature?: number | undefined;
}

/**
 * Patch-aligned pooling: mean over i of <q_i, v_i>, v_i = sum over j of a_ij x_j, a_ij = softmax over j of s_ij / t; which is
 * the mean over i of sum over j of a_ij s_ij. Published for one query vector, that of a whole text. O(n_q n_d). Open Vocabulary
 * Semantic Segmentation with Patch Aligned Contrastive Learning (2022).
 *
 * @param tile - n_q x n_d similarities; `similarityTile` makes it
 * @returns -Infinity where n_d is 0
 * @throws GranuleError `INVALID_ARGUMENT`, `LENGTH_MISMATCH`, `TEMPERATURE_INVALID`
 */
export function pacl(tile: Matrix, options: PaclOptions = {}): number {
  checkKeys(options, ['weights', 'temperature']);
  const temperature = checkTemperature(options.temperature ?? 1);
  return weightedMean(tile, options.weights, (similarities) => {
    const attention = softmax(similarities, temperature);
    return attended(similarities, attention);
  });
}

/** What attention makes of the similarities: sum over j of a_j s_j. */
export function attended(similarities: Float32Array, attention: Float64Array): number {
  let sum = 0;
  for (let j = 0; j < similarities.length; j++) sum += attention[j]! * similarities[j]!;
  return sum;
}
