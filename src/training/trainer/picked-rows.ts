import { type Matrix, matrix, matrixRow } from '../../vectors/matrix.js';

/** Copies of rows, one after the other. */
export function pickedRows(source: Matrix, rows: ArrayLike<number>): Matrix {
  const data = new Float32Array(rows.length * source.columns);
  for (let i = 0; i < rows.length; i++) data.set(matrixRow(source, rows[i]!), i * source.columns);
  return matrix(data, source.columns);
}
