import { GranuleError } from '../../errors.js';

/** p = softmax(s / t) over a list, and ln p, which is exact where p itself is below what float64 holds. */
export interface Softmax {
  readonly logs: Float64Array;
  readonly probabilities: Float64Array;
}

/**
 * ln p_i = (s_i - max) / t - ln sum_j exp((s_j - max) / t), p_i = exp(ln p_i). O(n).
 *
 * @param scores - one or more finite numbers
 * @throws GranuleError `NOT_FINITE` where the range of the scores divided by t is beyond float64
 */
export function softmaxWithLogs(scores: Float64Array, temperature: number): Softmax {
  const greatest = largest(scores);
  const logs = new Float64Array(scores.length);
  let sum = 0;
  for (let i = 0; i < logs.length; i++) {
    logs[i] = (scores[i]! - greatest) / temperature;
    if (!Number.isFinite(logs[i])) {
      throw new GranuleError(
        'NOT_FINITE',
        `score ${scores[i]} is too far below ${greatest} for the temperature ${temperature}`,
        { position: i },
      );
    }
    sum += Math.exp(logs[i]!);
  }
  const normaliser = Math.log(sum);
  for (let i = 0; i < logs.length; i++) logs[i]! -= normaliser;
  return { logs, probabilities: logs.map(Math.exp) };
}

/**
 * dL/dt of a loss of s / t that stays the same when all scores move together: - sum_i g_i (s_i - max) / t, g = dL/ds. The sum is
 * that of g_i s_i, for the g_i add up to 0; relative to the greatest, large scores cancel nothing.
 */
export function temperatureGradient(
  scores: Float64Array,
  gradient: Float64Array,
  temperature: number,
): number {
  const greatest = largest(scores);
  let sum = 0;
  for (let i = 0; i < gradient.length; i++) sum += gradient[i]! * (scores[i]! - greatest);
  return -sum / temperature;
}

function largest(values: Float64Array): number {
  let greatest = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < values.length; i++) if (values[i]! > greatest) greatest = values[i]!;
  return greatest;
}
