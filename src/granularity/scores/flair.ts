import { checkKeys, checkTemperature } from '../../index/arguments.js';
import type { Matrix } from '../../vectors/matrix.js';
import { softmax } from '../softmax.js';
import { attended } from './pacl.js';
import { type QueryWeightOptions, weightedMean } from './query-reduction.js';

/** Options of `flair`. */
export interface FlairOptions extends QueryWeightOptions {
  /** The t of the softmax, 0.1 by default. */
  readonly temperature?: number | undefined;
}

/**
 * Attention pooling that depends on the text, with an empty key: patches and a vector of zeros share a softmax,
 *
 *     a_ij = exp(s_ij / t) / (1 + sum over j of exp(s_ij / t))        score = mean over i of sum over j of a_ij s_ij
 *
 * so that a text that fits no patch attends to nothing and scores near 0. The published model projects queries, keys and
 * values by matrices that it learned; this takes the vectors as they are. O(n_q n_d). After FLAIR: VLM with Fine-grained Language-informed
 * Image Representations (2024).
 *
 * @param tile - n_q x n_d similarities; `similarityTile` makes it
 * @returns -Infinity where n_d is 0
 * @throws GranuleError `INVALID_ARGUMENT`, `LENGTH_MISMATCH`, `TEMPERATURE_INVALID`
 */
export function flair(tile: Matrix, options: FlairOptions = {}): number {
  checkKeys(options, ['weights', 'temperature']);
  const temperature = checkTemperature(options.temperature ?? 0.1);
  const logits = new Float32Array(tile.columns + 1);
  return weightedMean(tile, options.weights, (similarities) => {
    // The last stays 0: the inner product with the empty key.
    logits.set(similarities);
    const attention = softmax(logits, temperature);
    return attended(similarities, attention);
  });
}
