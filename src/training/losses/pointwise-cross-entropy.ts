import { checkKeys } from '../../index/arguments.js';
import { checkAtLeast, checkFloats, type Floats, type ListLoss } from './loss-arguments.js';
import { sigmoid, softplus } from './sigmoid.js';

/** Options of {@link pointwiseCrossEntropy}. */
export interface PointwiseCrossEntropyOptions {
  /** Labels from this on are positives; 0.5 by default. */
  readonly threshold?: number | undefined;
  /** Weight of negatives, which are many: finite, at least 0; 1 by default. Positives weigh 1. */
  readonly negativeWeight?: number | undefined;
}

/**
 * Binary cross entropy of each candidate by itself, y_i = 1 from the threshold on, else 0:
 *
 *     L = 1/n sum_i w_i (softplus(s_i) - y_i s_i),    dL/ds_i = w_i (sigmoid(s_i) - y_i) / n
 *
 * with w_i = 1 for positives. Unlike the losses of lists it says where 0 lies: sigmoid(s) becomes the probability of relevance. O(n).
 *
 * @throws GranuleError `INVALID_ARGUMENT`, `LENGTH_MISMATCH`, `NOT_FINITE`
 */
export function pointwiseCrossEntropy(
  scores: Floats,
  labels: Floats,
  options: PointwiseCrossEntropyOptions = {},
): ListLoss {
  checkKeys(options, ['threshold', 'negativeWeight']);
  const s = checkFloats(scores, 'scores');
  const y = checkFloats(labels, 'labels', s.length);
  const threshold = checkAtLeast(options.threshold ?? 0.5, Number.NEGATIVE_INFINITY, 'threshold');
  const negativeWeight = checkAtLeast(options.negativeWeight ?? 1, 0, 'negativeWeight');
  const gradient = new Float64Array(s.length);
  let loss = 0;
  for (let i = 0; i < s.length; i++) {
    const positive = y[i]! >= threshold;
    const weight = (positive ? 1 : negativeWeight) / s.length;
    loss += weight * softplus(positive ? -s[i]! : s[i]!);
    gradient[i] = weight * (positive ? -sigmoid(-s[i]!) : sigmoid(s[i]!));
  }
  return { loss, gradient };
}
