import { GranuleError } from '../errors.js';

/** A dense float32 matrix in row-major order: row r is `data[r * columns .. (r + 1) * columns)`. */
export interface Matrix {
  readonly data: Float32Array;
  readonly rows: number;
  readonly columns: number;
}

/** Lists of vectors of one dimension, one list per item: item i owns `lengths[i]` consecutive rows of `data`. */
export interface RaggedMatrix {
  readonly data: Float32Array;
  readonly lengths: Uint32Array;
  readonly columns: number;
}

/**
 * Wraps `data` as a matrix.
 *
 * @param data - rows x columns values
 * @param columns - positive number of columns
 * @throws GranuleError `DIMENSION_INVALID` or `LENGTH_MISMATCH`
 */
export function matrix(data: Float32Array, columns: number): Matrix {
  if (!Number.isSafeInteger(columns) || columns < 1) {
    throw new GranuleError('DIMENSION_INVALID', `columns must be a positive integer, got ${columns}`, {
      columns,
    });
  }
  if (data.length % columns !== 0) {
    throw new GranuleError('LENGTH_MISMATCH', `${data.length} values do not make rows of ${columns}`, {
      length: data.length,
      columns,
    });
  }
  return { data, rows: data.length / columns, columns };
}

/** Row `row` of `source`, as a view. */
export function matrixRow(source: Matrix, row: number): Float32Array {
  return source.data.subarray(row * source.columns, (row + 1) * source.columns);
}
