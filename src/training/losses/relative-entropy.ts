import type { Softmax } from './log-softmax.js';

/** A Kullback-Leibler divergence, and its gradient with respect to z = s / t of the distribution that learns. */
export interface Divergence {
  readonly divergence: number;
  readonly gradient: Float64Array;
}

/**
 * KL(q || p) = sum_i q_i (ln q_i - ln p_i), 0 ln 0 = 0, for p = softmax(z) that learns: dKL/dz_i = p_i - q_i. p is drawn to wherever
 * q has mass.
 */
export function divergenceFromTarget(target: Float64Array, { logs, probabilities }: Softmax): Divergence {
  let divergence = 0;
  const gradient = new Float64Array(target.length);
  for (let i = 0; i < target.length; i++) {
    const q = target[i]!;
    if (q > 0) divergence += q * (Math.log(q) - logs[i]!);
    gradient[i] = probabilities[i]! - q;
  }
  return { divergence, gradient };
}

/**
 * KL(p || q) = sum_i p_i (ln p_i - ln q_i) for p = softmax(z) that learns: dKL/dz_i = p_i (ln p_i - ln q_i - KL). p is driven out of
 * where q has none.
 *
 * @param targetLogs - ln q_i, finite
 */
export function divergenceToTarget({ logs, probabilities }: Softmax, targetLogs: Float64Array): Divergence {
  let divergence = 0;
  for (let i = 0; i < logs.length; i++) divergence += probabilities[i]! * (logs[i]! - targetLogs[i]!);
  const gradient = probabilities.map((p, i) => p * (logs[i]! - targetLogs[i]! - divergence));
  return { divergence, gradient };
}
