import { type Matrix, matrix, matrixRow } from '../../vectors/matrix.js';
import { numbers } from '../towers/parameter.js';
import type { Workspace } from '../towers/workspace.js';

/**
 * Copies of rows, one after the other.
 *
 * @param workspace - where they lie; by default in memory of their own
 */
export function pickedRows(source: Matrix, rows: ArrayLike<number>, workspace?: Workspace): Matrix {
  const length = rows.length * source.columns;
  const data = workspace?.floats(length) ?? numbers(length);
  for (let i = 0; i < rows.length; i++) data.set(matrixRow(source, rows[i]!), i * source.columns);
  return matrix(data, source.columns);
}
