import { GranuleError } from '../../errors.js';
import { meanOf, pairedDifferences } from './paired-values.js';

/** What a t-test found. */
export interface TTestResult {
  /** Mean of other - baseline. */
  readonly difference: number;
  /** The statistic; infinite where all differences are the same but not 0. */
  readonly t: number;
  readonly degreesOfFreedom: number;
  /** Two-sided. */
  readonly pValue: number;
}

/**
 * Student's paired t-test of two runs' values per query, two-sided: t = mean(d) / sqrt(var(d) / n) with var over n - 1, held against
 * Student's distribution with n - 1 degrees of freedom. It takes the mean difference to be normal; the randomisation test does not.
 * Where all differences are 0, t = 0 and p = 1. O(n).
 *
 * Source: "The Probable Error of a Mean" (1908).
 *
 * @throws GranuleError `LENGTH_MISMATCH`; `INVALID_ARGUMENT` for fewer than two queries; `NOT_FINITE`
 */
export function pairedTTest(baseline: ArrayLike<number>, other: ArrayLike<number>): TTestResult {
  const differences = pairedDifferences(baseline, other);
  const n = differences.length;
  if (n < 2) throw new GranuleError('INVALID_ARGUMENT', 'a t-test needs at least two queries');
  const difference = meanOf(differences);
  const variance = differences.reduce((sum, value) => sum + (value - difference) ** 2, 0) / (n - 1);
  const t = difference === 0 ? 0 : difference / Math.sqrt(variance / n);
  return { difference, t, degreesOfFreedom: n - 1, pValue: studentTails(t, n - 1) };
}

/**
 * The probability that Student's t with so many degrees of freedom is at least |t| away from 0: the regularised incomplete beta function
 * I_x(degrees / 2, 1/2) at x = degrees / (degrees + t^2). Relative error below 1e-10 for up to a million degrees.
 */
export function studentTails(t: number, degrees: number): number {
  if (!Number.isFinite(t)) return 0;
  const a = degrees / 2;
  const x = degrees / (degrees + t * t);
  const y = (t * t) / (degrees + t * t);
  if (y === 0) return 1;
  const logX = x < 0.5 ? Math.log(x) : Math.log1p(-y);
  const front = Math.exp(a * logX) * Math.sqrt(y) * reciprocalBetaWithHalf(degrees);
  // The fraction converges fast on this side of the mean only; I_x(a, b) = 1 - I_y(b, a).
  return x < (a + 1) / (a + 2.5)
    ? (front * betaFraction(a, 0.5, x)) / a
    : 1 - (front * betaFraction(0.5, a, y)) / 0.5;
}

/** 1 / B(degrees / 2, 1/2), by B(a + 1, 1/2) = B(a, 1/2) a / (a + 1/2) from B(1/2, 1/2) = pi and B(1, 1/2) = 2. */
function reciprocalBetaWithHalf(degrees: number): number {
  let reciprocal = degrees % 2 === 1 ? 1 / Math.PI : 1 / 2;
  for (let a = degrees % 2 === 1 ? 0.5 : 1; a < degrees / 2; a++) reciprocal *= (a + 0.5) / a;
  return reciprocal;
}

/**
 * The continued fraction of the incomplete beta function, evaluated from the front by Lentz's method.
 *
 * Source: "Handbook of Mathematical Functions" (1964), 26.5.8.
 */
function betaFraction(a: number, b: number, x: number): number {
  let c = 1;
  let d = 1 / nonZero(1 - ((a + b) * x) / (a + 1));
  let fraction = d;
  for (let m = 1; ; m++) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m));
    d = 1 / nonZero(1 + even * d);
    c = nonZero(1 + even / c);
    fraction *= d * c;
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1 / nonZero(1 + odd * d);
    c = nonZero(1 + odd / c);
    const factor = d * c;
    fraction *= factor;
    if (Math.abs(factor - 1) < 1e-15 || m > 10_000) return fraction;
  }
}

function nonZero(value: number): number {
  return Math.abs(value) < 1e-300 ? 1e-300 : value;
}
