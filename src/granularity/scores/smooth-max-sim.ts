import { checkKeys, checkTemperature } from '../../index/arguments.js';
import type { Matrix } from '../../vectors/matrix.js';
import { smoothMaximum } from '../softmax.js';
import { type QueryWeightOptions, weightedSum } from './query-reduction.js';

/** Options of `smoothMaxSim`. */
export interface SmoothMaxSimOptions extends QueryWeightOptions {
  /** The t, 0.1 by default; towards 0 it becomes MaxSim. */
  readonly temperature?: number | undefined;
}

/**
 * MaxSim with a smooth maximum: sum over i of w_i t ln sum over j of exp(s_ij / t). At least MaxSim, and at most
 * t ln n_d more for each query vector: of documents of different length the longer gains. O(n_q n_d). The loss of ColPali:
 * Efficient Document Retrieval with Vision Language Models (2024) has it.
 *
 * @param tile - n_q x n_d similarities; `similarityTile` makes it
 * @returns -Infinity where n_d is 0
 * @throws GranuleError `INVALID_ARGUMENT`, `LENGTH_MISMATCH`, `TEMPERATURE_INVALID`
 */
export function smoothMaxSim(tile: Matrix, options: SmoothMaxSimOptions = {}): number {
  checkKeys(options, ['weights', 'temperature']);
  const temperature = checkTemperature(options.temperature ?? 0.1);
  return weightedSum(tile, options.weights, (similarities) => smoothMaximum(similarities, temperature));
}
