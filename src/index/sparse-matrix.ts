import { GranuleError } from '../errors.js';
import { checkFloat32, checkUint32, show } from './arguments.js';

/**
 * Rows that hold few of very many terms: row i owns `lengths[i]` consecutive entries of `terms` and `values`, the terms
 * strictly ascending within a row. Any number of 32 bits is a term; a row without entries is a row.
 */
export interface SparseMatrix {
  readonly lengths: Uint32Array;
  readonly terms: Uint32Array;
  readonly values: Float32Array;
}

/**
 * The arrays of `rows`. Whether lengths add up and terms ascend is left to the addon.
 *
 * @throws GranuleError `INVALID_ARGUMENT`, `LENGTH_MISMATCH`
 */
export function checkSparseMatrix(rows: SparseMatrix, name: string): SparseMatrix {
  if (typeof rows !== 'object' || rows === null || ArrayBuffer.isView(rows)) {
    throw new GranuleError(
      'INVALID_ARGUMENT',
      `${name} must be an object of lengths, terms and values, got ${show(rows)}`,
    );
  }
  const lengths = checkUint32(rows.lengths, `${name}.lengths`);
  const terms = checkUint32(rows.terms, `${name}.terms`);
  const values = checkFloat32(rows.values, `${name}.values`);
  if (terms.length !== values.length) {
    throw new GranuleError(
      'LENGTH_MISMATCH',
      `${name} has ${terms.length} terms and ${values.length} values; each term has one value`,
      { terms: terms.length, values: values.length },
    );
  }
  return { lengths, terms, values };
}
