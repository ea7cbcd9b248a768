import { GranuleError } from '../../errors.js';
import { canonicalExp } from './canonical-exp.js';

/** One sample's share in an estimate of KL(p || q). */
export interface K3 {
  /** exp(d) - 1 - d, at least 0. */
  readonly value: number;
  /** exp(d) - 1, its derivative with respect to d. */
  readonly slope: number;
}

/**
 * exp(d) - 1 - d of d = ln q - ln p: its mean over samples from p is KL(p || q). Its power series below 0.5, where the difference
 * would lose its digits.
 *
 * @throws GranuleError `NOT_FINITE` where d is above 709
 */
export function k3(d: number): K3 {
  if (Math.abs(d) < 0.5) {
    let tail = 0;
    for (let i = 16; i >= 2; i--) tail = (d / i) * (1 + tail);
    return { value: d * tail, slope: d * (1 + tail) };
  }
  const ratio = canonicalExp(d);
  if (!Number.isFinite(ratio)) {
    throw new GranuleError(
      'NOT_FINITE',
      `the reference gives a rollout exp(${d}) times the probability that the policy gives it: too far apart for an estimate`,
    );
  }
  return { value: ratio - 1 - d, slope: ratio - 1 };
}
