const LANES = 8;

/**
 * The reference inner product, as the engine has it: eight float64 lanes (lane l adds the products of elements l, l + 8, ... in
 * order), added pairwise and rounded once to float32. The same bits as an index's similarity of two vectors.
 *
 * @param a - as long as b
 */
export function referenceSimilarity(a: Float32Array, b: Float32Array): number {
  const lane = new Float64Array(LANES);
  for (let i = 0; i < a.length; i++) lane[i % LANES]! += a[i]! * b[i]!;
  const pair = (l: number) => lane[l]! + lane[l + 1]!;
  return Math.fround(pair(0) + pair(2) + (pair(4) + pair(6)));
}
