import { checkKeys } from '../../index/arguments.js';
import { checkKeep, type PooledVectors } from '../../index/pool-vectors.js';
import { type Matrix, matrixRow } from '../../vectors/matrix.js';
import { type DocumentVectorOptions, documentVectors, pooledByLeaders } from './document-vectors.js';

/** Options of `pruneTail`. Give either `factor` or `count`. */
export interface TailPruningOptions extends DocumentVectorOptions {
  /** Keep the first ceil(n / factor) of n vectors; a number of at least 1. */
  readonly factor?: number | undefined;
  /** Keep at most so many first vectors of a document. */
  readonly count?: number | undefined;
}

/**
 * Tail pruning, a baseline: of each document the first vectors are kept as they are. Each of the others becomes a member of
 * the nearest that is kept (the first of equally near ones), so that radii bound what was lost. O(n k d) for k kept of n.
 * CRISP: Clustering Multi-Vector Representations for Denoising and Pruning (2025).
 *
 * @param vectors - rows x dimension finite values, document after document
 * @param lengths - vectors per document, each at least 1, together all of `vectors`
 * @returns as `poolVectors`, for `PooledBounds` and `poolQuads`
 * @throws GranuleError `INVALID_ARGUMENT`, `DIMENSION_INVALID`, `LENGTH_MISMATCH`, `EMPTY_DOCUMENT`, `NOT_FINITE`
 */
export function pruneTail(
  vectors: Float32Array | Matrix,
  lengths: Uint32Array,
  options: TailPruningOptions,
): PooledVectors {
  checkKeys(options, ['dimension', 'metric', 'factor', 'count']);
  const keep = checkKeep(options, 0);
  const documents = documentVectors(vectors, lengths, options);
  const leaders = new Uint32Array(documents.vectors.rows);
  let start = 0;
  for (const length of documents.lengths) {
    const kept = keep(length);
    for (let i = 0; i < length; i++) {
      leaders[start + i] = i < kept ? start + i : nearest(documents.vectors, start + i, start, start + kept);
    }
    start += length;
  }
  return pooledByLeaders(documents, leaders, 'leader');
}

/** Of rows `first` to `end` - 1 the one that is nearest to `row`. */
function nearest(vectors: Matrix, row: number, first: number, end: number): number {
  const vector = matrixRow(vectors, row);
  let [best, least] = [first, Number.POSITIVE_INFINITY];
  for (let candidate = first; candidate < end; candidate++) {
    const other = matrixRow(vectors, candidate);
    let distance = 0;
    for (let d = 0; d < vector.length; d++) {
      const difference = vector[d]! - other[d]!;
      distance += difference * difference;
    }
    if (distance < least) [best, least] = [candidate, distance];
  }
  return best;
}
