import { GranuleError } from '../errors.js';
import { loadAddon } from '../native/load-addon.js';
import { checkFloat32, checkKeys, checkTemperature, show } from './arguments.js';

/** Options of `topKSoftmax`. */
export interface TopKSoftmaxOptions {
  /** How many scores to keep, 1 to all. */
  readonly k: number;
  /** t in exp(s / t): finite, above 0; 1 by default. */
  readonly temperature?: number | undefined;
}

/** The k highest scores as a distribution. */
export interface TopKSoftmax {
  /** Positions in `scores`, best first; of equal scores the lower position comes first. */
  readonly rows: Uint32Array;
  /** Their scores. */
  readonly scores: Float32Array;
  /** exp(s_i / t) / sum over the k of exp(s_j / t). */
  readonly probabilities: Float32Array;
  /** ln of the sum of exp(s / t) over all scores. */
  readonly logSumExp: number;
  /** Share of that sum that the k hold: 1 where k is all. */
  readonly mass: number;
}

/**
 * The k highest of `scores` and their softmax, in float64 with the maximum subtracted; the same bits on every machine.
 *
 * @param scores - finite values
 * @throws GranuleError `INVALID_ARGUMENT`, `LENGTH_MISMATCH`, `K_OUT_OF_RANGE`, `TEMPERATURE_INVALID`, `NOT_FINITE`
 */
export async function topKSoftmax(scores: Float32Array, options: TopKSoftmaxOptions): Promise<TopKSoftmax> {
  checkFloat32(scores, 'scores');
  checkKeys(options, ['k', 'temperature']);
  const { k, temperature = 1 } = options;
  if (scores.length === 0) throw new GranuleError('LENGTH_MISMATCH', 'scores must hold at least one value');
  if (!Number.isInteger(k) || k < 1 || k > scores.length) {
    throw new GranuleError(
      'K_OUT_OF_RANGE',
      `k must be an integer from 1 to ${scores.length}, got ${show(k)}`,
    );
  }
  return loadAddon().softmaxTopK(scores, k, checkTemperature(temperature));
}
