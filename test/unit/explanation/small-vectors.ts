import { type Matrix, matrix } from '../../../src/vectors/matrix.js';

/** A matrix of numbers between -1 and 1, the same for the same seed. */
export function smallMatrix(rows: number, columns: number, seed: number): Matrix {
  let state = seed;
  const data = Float32Array.from({ length: rows * columns }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 31 - 1;
  });
  return matrix(data, columns);
}

/** The inner product of two rows, in float64, slowly. */
export function product(a: Matrix, i: number, b: Matrix, j: number): number {
  let sum = 0;
  for (let k = 0; k < a.columns; k++) sum += a.data[i * a.columns + k]! * b.data[j * b.columns + k]!;
  return sum;
}

/** MaxSim over some rows of a document, by the definition; 0 for none. */
export function slowMaxSim(query: Matrix, document: Matrix, rows: readonly number[]): number {
  if (rows.length === 0) return 0;
  let sum = 0;
  for (let i = 0; i < query.rows; i++) sum += Math.max(...rows.map((j) => product(query, i, document, j)));
  return sum;
}
