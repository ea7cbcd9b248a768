import { canonicalExp } from './canonical-exp.js';
import { canonicalLog } from './canonical-log.js';

/** ln(1 + x) for x >= 0, accurate where x is small: what 1 + x lost to rounding is put right by a factor. */
function logOnePlus(x: number): number {
  const sum = 1 + x;
  return sum === 1 ? x : canonicalLog(sum) * (x / (sum - 1));
}

/** ln(1 + exp(x)), also for infinite x: minus the log-probability of an event whose log-odds are -x. */
export function softplus(x: number): number {
  return x > 0 ? x + logOnePlus(canonicalExp(-x)) : logOnePlus(canonicalExp(x));
}

/** 1 / (1 + exp(-x)). */
export function sigmoid(x: number): number {
  if (x >= 0) return 1 / (1 + canonicalExp(-x));
  const odds = canonicalExp(x);
  return odds / (1 + odds);
}
