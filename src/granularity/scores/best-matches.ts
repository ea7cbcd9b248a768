import type { VectorMatches } from '../../index/multi-vector-hits.js';
import type { Matrix } from '../../vectors/matrix.js';

/**
 * Per query vector the document vector that is most similar to it, the first of equal ones: what speaks for a score by
 * late interaction. Of a document without vectors 0xffffffff and -Infinity. O(n_q n_d).
 *
 * @param tile - n_q x n_d similarities
 */
export function bestMatches({ data, rows, columns }: Matrix): VectorMatches {
  const vectors = new Uint32Array(rows);
  const similarities = new Float32Array(rows);
  for (let i = 0, at = 0; i < rows; i++) {
    let [best, greatest] = [0xffffffff, Number.NEGATIVE_INFINITY];
    for (let j = 0; j < columns; j++, at++) {
      if (data[at]! > greatest) [best, greatest] = [j, data[at]!];
    }
    vectors[i] = best;
    similarities[i] = greatest;
  }
  return { vectors, similarities };
}

/** The tile seen from the document: `bestMatches` of it gives each document vector its query vector. */
export function transposeTile({ data, rows, columns }: Matrix): Matrix {
  const transposed = new Float32Array(data.length);
  for (let i = 0, at = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++, at++) transposed[j * rows + i] = data[at]!;
  }
  return { data: transposed, rows: columns, columns: rows };
}
