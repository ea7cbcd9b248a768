import { GranuleError } from '../errors.js';
import { checkFloat32 } from '../index/arguments.js';
import type { Matrix } from '../vectors/matrix.js';
import { type MatchedVectors, matchedVectors } from './matched-vectors.js';

/** Numbers of a quadrilateral: x and y of its four corners. */
const QUAD = 8;

/** What made a document's score: one match per query vector. */
export interface TokenMatches extends MatchedVectors {
  /** The sum of the similarities, in float64: MaxSim. */
  readonly score: number;
  /** 8 numbers per query vector, the matched patch's quadrilateral; undefined where no quadrilaterals were given. */
  readonly quads: Float32Array | undefined;
}

/**
 * Which patch of a document, or token, each query vector matches: a(i) = argmax_j <z_i, x_j>, the first of equal ones; the
 * score is MaxSim = sum_i <z_i, x_a(i)>. Similarities have the bits of an index with metric `ip`. O(n_q n_d d).
 *
 * Source: Khattab and Zaharia, "ColBERT: Efficient and Effective Passage Search via Contextualized Late Interaction over BERT" (2020).
 *
 * @param query - n_q x d, at least one vector
 * @param document - n_d x d, at least one vector
 * @param quads - 8 numbers per document vector, the corners of its patch, as encoders give them
 * @throws GranuleError `INVALID_ARGUMENT`, `LENGTH_MISMATCH`, `EMPTY_DOCUMENT`, `NOT_FINITE`
 */
export function tokenMatches(query: Matrix, document: Matrix, quads?: Float32Array): TokenMatches {
  const matched = matchedVectors(query, document);
  if (quads !== undefined && checkFloat32(quads, 'quads').length !== document.rows * QUAD) {
    throw new GranuleError(
      'LENGTH_MISMATCH',
      `quads must hold ${QUAD} values for each of the document's ${document.rows} vectors, got ${quads.length}`,
      { length: quads.length, vectors: document.rows },
    );
  }
  let matchedQuads: Float32Array | undefined;
  if (quads !== undefined) {
    matchedQuads = new Float32Array(matched.rows.length * QUAD);
    for (const [i, row] of matched.rows.entries()) {
      matchedQuads.set(quads.subarray(row * QUAD, (row + 1) * QUAD), i * QUAD);
    }
  }
  return { ...matched, score: sum(matched.similarities), quads: matchedQuads };
}

/**
 * The document's vectors by what they add to its score: a vector's evidence is the sum of the similarities of the query vectors that
 * match it best, 0 where none does. Greatest first, then by row. The order that `deletionCurve` and `insertionCurve` test.
 * O(n_q n_d d).
 *
 * @throws GranuleError as `tokenMatches`
 */
export function evidenceOrder(query: Matrix, document: Matrix): Uint32Array {
  const { rows, similarities } = matchedVectors(query, document);
  const evidence = new Float64Array(document.rows);
  for (const [i, row] of rows.entries()) evidence[row]! += similarities[i]!;
  return Uint32Array.from(evidence.keys()).sort((a, b) => evidence[b]! - evidence[a]! || a - b);
}

function sum(values: Float32Array): number {
  return values.reduce((total, value) => total + value, 0);
}
