import { GranuleError } from '../errors.js';
import { checkBoolean, checkFloat32 } from '../index/arguments.js';
import type { Matrix } from '../vectors/matrix.js';

/**
 * Vectors of feedback of the query's dimension.
 *
 * @throws GranuleError `INVALID_ARGUMENT`, `LENGTH_MISMATCH`
 */
export function checkFeedback(feedback: Matrix, dimension: number): void {
  checkFloat32(feedback?.data, 'feedback.data');
  if (feedback.columns !== dimension || feedback.rows * dimension !== feedback.data.length) {
    throw new GranuleError(
      'LENGTH_MISMATCH',
      `feedback is a matrix of ${feedback.rows} x ${feedback.columns} with ${feedback.data.length} values; its columns must be the query's dimension, ${dimension}`,
      { length: feedback.data.length, dimension },
    );
  }
}

/** The sum of the rows in float64, added in their order. */
export function sumOfRows({ data, rows, columns }: Matrix): Float64Array {
  const sum = new Float64Array(columns);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) sum[column]! += data[row * columns + column]!;
  }
  return sum;
}

/**
 * Rounded once to float32, divided by its norm first if wanted; a vector of norm 0 stays as it is.
 *
 * @throws GranuleError `INVALID_ARGUMENT`
 */
export function rounded(vector: Float64Array, normalise: boolean): Float32Array {
  if (!checkBoolean(normalise, 'normalise')) return Float32Array.from(vector);
  const norm = Math.sqrt(vector.reduce((sum, value) => sum + value * value, 0));
  return Float32Array.from(vector, (value) => (norm === 0 ? 0 : value / norm));
}
