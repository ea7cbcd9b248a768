/** How one vector comes from a text's token vectors; `none`: the model gives it itself. */
export type TextPooling = 'mean' | 'cls' | 'last' | 'none';

/**
 * One vector from the first `length` rows of `hidden`: their mean (summed in float64), the first or the last of them.
 * A text without tokens gives zeros.
 *
 * @param hidden - token vectors of one text, rows of `columns` numbers, padding last
 */
export function poolTokens(
  hidden: Float32Array,
  columns: number,
  length: number,
  pooling: Exclude<TextPooling, 'none'>,
): Float32Array {
  if (length === 0) return new Float32Array(columns);
  if (pooling === 'cls') return hidden.subarray(0, columns);
  if (pooling === 'last') return hidden.subarray((length - 1) * columns, length * columns);
  const sums = new Float64Array(columns);
  for (let row = 0; row < length; row++) {
    const start = row * columns;
    for (let i = 0; i < columns; i++) sums[i]! += hidden[start + i]!;
  }
  return Float32Array.from(sums, (sum) => sum / length);
}
