import type { Matrix } from '../vectors/matrix.js';
import { checkPair, type MatchedVectors, matchedVectors } from './matched-vectors.js';

/** Why one document scores as it does, and another otherwise. */
export interface ContrastiveMatches {
  /** Per query vector the similarity of its match in the document less that in the other. */
  readonly differences: Float64Array;
  /** Their sum: the difference of the two scores. */
  readonly scoreDifference: number;
  /** Query vectors, the greatest difference first, then by number: what speaks for the document, down to what speaks against it. */
  readonly order: Uint32Array;
  readonly document: MatchedVectors;
  readonly other: MatchedVectors;
}

/**
 * Why this document and not that: d_i = max_j <z_i, x_j> - max_j <z_i, y_j> for each query vector z_i, in float64; the d_i add up to
 * the difference of the two MaxSim scores, so nothing is left unexplained. O(n_q (n_x + n_y) d).
 *
 * The contrastive form of the explanations in "Rethinking Saliency Maps: A Cognitive Human Aligned Taxonomy and Evaluation Framework for
 * Explanations" (2025), carried over from classes to documents.
 *
 * @param query - n_q x d
 * @param document - n_x x d
 * @param other - n_y x d
 * @throws GranuleError `INVALID_ARGUMENT`, `LENGTH_MISMATCH`, `EMPTY_DOCUMENT`, `NOT_FINITE`
 */
export function contrastiveMatches(query: Matrix, document: Matrix, other: Matrix): ContrastiveMatches {
  const mine = matchedVectors(query, document);
  checkPair(query, other, 'other');
  const theirs = matchedVectors(query, other);
  const differences = Float64Array.from(mine.similarities, (s, i) => s - theirs.similarities[i]!);
  return {
    differences,
    scoreDifference: differences.reduce((sum, difference) => sum + difference, 0),
    order: Uint32Array.from(differences.keys()).sort((a, b) => differences[b]! - differences[a]! || a - b),
    document: mine,
    other: theirs,
  };
}
