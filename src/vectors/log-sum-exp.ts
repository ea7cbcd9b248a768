/**
 * ln sum_i exp(x_i), relative to the greatest; over the entries for which `counts` holds, all by default. -Infinity over none.
 *
 * @param values - finite numbers, or -Infinity for what adds nothing
 */
export function logSumExp(values: ArrayLike<number>, counts: (i: number) => boolean = () => true): number {
  let greatest = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < values.length; i++) if (counts(i) && values[i]! > greatest) greatest = values[i]!;
  if (greatest === Number.NEGATIVE_INFINITY) return greatest;
  let sum = 0;
  for (let i = 0; i < values.length; i++) if (counts(i)) sum += Math.exp(values[i]! - greatest);
  return greatest + Math.log(sum);
}
