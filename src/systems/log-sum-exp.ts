/** ln of the sum of exp(x) over `values`; -Infinity where there are none. */
export function logSumExp(values: readonly number[]): number {
  const largest = values.reduce((best, value) => Math.max(best, value), Number.NEGATIVE_INFINITY);
  if (largest === Number.NEGATIVE_INFINITY) return largest;
  return largest + Math.log(values.reduce((sum, value) => sum + Math.exp(value - largest), 0));
}
