/** ln 2 in two parts; the first has 33 bits, so that its product with a whole number below 2^20 is exact. */
export const LN2_HIGH = 6.9314718036912382e-1;
export const LN2_LOW = 1.9082149292705877e-10;
/** Adding and subtracting 1.5 * 2^52 rounds a small number to the nearest whole one, ties to even. */
const ROUND = 6755399441055744;
const LOWEST = -708;
const HIGHEST = 709;
/** 1 / i! from i = 0 to 13. */
const COEFFICIENTS = Float64Array.of(
  1,
  1,
  1 / 2,
  1 / 6,
  1 / 24,
  1 / 120,
  1 / 720,
  1 / 5040,
  1 / 40320,
  1 / 362880,
  1 / 3628800,
  1 / 39916800,
  1 / 479001600,
  1 / 6227020800,
);
const power = new DataView(new ArrayBuffer(8));

/**
 * exp(x) with the same bits on every machine and version of Node, which `Math.exp` does not promise: for x <= 0 those of the
 * engine's own exponential.
 *
 * exp(x) = 2^n exp(r), n = round(x / ln 2), r = x - n ln 2; exp(r) is its Taylor polynomial of degree 13 by Horner's rule. The
 * relative error is below 4e-16. Below -708 it is 0, above 709 Infinity; NaN gives 0.
 */
export function canonicalExp(x: number): number {
  if (!(x >= LOWEST)) return 0;
  if (x > HIGHEST) return Number.POSITIVE_INFINITY;
  const n = x * Math.LOG2E + ROUND - ROUND;
  const r = x - n * LN2_HIGH - n * LN2_LOW;
  let sum = COEFFICIENTS[13]!;
  for (let i = 12; i >= 0; i--) sum = sum * r + COEFFICIENTS[i]!;
  power.setUint32(0, (n + 1023) << 20);
  return sum * power.getFloat64(0);
}
