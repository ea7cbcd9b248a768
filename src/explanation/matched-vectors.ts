import { GranuleError } from '../errors.js';
import { checkVectors } from '../index/arguments.js';
import { type Matrix, matrixRow } from '../vectors/matrix.js';
import { referenceSimilarity } from '../vectors/reference-similarity.js';

/** For each query vector the document vector that matches it best. */
export interface MatchedVectors {
  /** Rows of the document; the first of equal ones. */
  readonly rows: Uint32Array;
  readonly similarities: Float32Array;
}

/** max_j <z_i, x_j> for every query vector. Both must have vectors, of one dimension. O(n_q n_d d). */
export function matchedVectors(query: Matrix, document: Matrix): MatchedVectors {
  checkPair(query, document);
  const rows = new Uint32Array(query.rows);
  const similarities = new Float32Array(query.rows).fill(-Infinity);
  for (let i = 0; i < query.rows; i++) {
    const vector = matrixRow(query, i);
    for (let j = 0; j < document.rows; j++) {
      const similarity = referenceSimilarity(vector, matrixRow(document, j));
      if (similarity > similarities[i]!) {
        similarities[i] = similarity;
        rows[i] = j;
      }
    }
  }
  return { rows, similarities };
}

/**
 * Makes sure that both are matrices of one dimension with at least one vector each.
 *
 * @throws GranuleError `INVALID_ARGUMENT`, `LENGTH_MISMATCH`, `EMPTY_DOCUMENT`, `NOT_FINITE`
 */
export function checkPair(query: Matrix, document: Matrix, name = 'document'): void {
  checkFinite(checkVectors(query, query.columns, 'query'), query.columns, 'query');
  checkFinite(checkVectors(document, query.columns, name), query.columns, name);
  if (query.rows === 0) throw new GranuleError('LENGTH_MISMATCH', 'query must hold at least one vector');
  if (document.rows === 0) throw new GranuleError('EMPTY_DOCUMENT', `${name} has no vectors`);
}

function checkFinite(data: Float32Array, columns: number, name: string): void {
  const bad = data.findIndex((value) => !Number.isFinite(value));
  if (bad === -1) return;
  const row = Math.floor(bad / columns);
  throw new GranuleError('NOT_FINITE', `${name} holds ${data[bad]} in row ${row}`, {
    row,
    column: bad % columns,
  });
}
