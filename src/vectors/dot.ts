/** sum_k a_k b_k in float64, k ascending; for what needs no bits of the engine's (`referenceSimilarity` has those). */
export function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let k = 0; k < a.length; k++) sum += a[k]! * b[k]!;
  return sum;
}
