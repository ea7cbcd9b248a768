import { GranuleError } from '../../errors.js';
import { checkFloat32, show } from '../../index/arguments.js';
import type { Matrix } from '../../vectors/matrix.js';

/** @throws GranuleError `INVALID_ARGUMENT`, `LENGTH_MISMATCH` */
export function checkDocumentVectors(document: Matrix, dimension: number): Float32Array {
  return checkMatrix(document, dimension, 'document');
}

/**
 * As `checkDocumentVectors`, and at least one vector.
 *
 * @throws GranuleError `INVALID_ARGUMENT`, `LENGTH_MISMATCH`
 */
export function checkQueryVectors(query: Matrix, dimension: number): Float32Array {
  const data = checkMatrix(query, dimension, 'query');
  if (data.length === 0) throw new GranuleError('LENGTH_MISMATCH', 'the query has no vectors');
  return data;
}

function checkMatrix({ data, rows, columns }: Matrix, dimension: number, name: string): Float32Array {
  checkFloat32(data, `${name}.data`);
  if (columns !== dimension || rows * columns !== data.length) {
    throw new GranuleError(
      'LENGTH_MISMATCH',
      `${name} is a matrix of ${show(rows)} x ${show(columns)} with ${data.length} values, for vectors of ${dimension} numbers`,
      { length: data.length, dimension },
    );
  }
  return data;
}
