import { checkKeys } from '../../index/arguments.js';
import { checkProtect, type PooledVectors } from '../../index/pool-vectors.js';
import type { Matrix } from '../../vectors/matrix.js';
import { checkWhole } from '../option-checks.js';
import { type DocumentVectorOptions, documentVectors, pooledByLeaders } from './document-vectors.js';

/** Options of `spaceTokens`. */
export interface TokenSpacingOptions extends DocumentVectorOptions {
  /** Keep every so manieth vector, 2 by default. */
  readonly spacing?: number | undefined;
  /** So many first vectors of each document (a class token, say) are kept beside them; 0 by default. */
  readonly protect?: number | undefined;
}

/**
 * k-spacing, a baseline: of each document the vectors at places 0, k, 2k, ... are kept as they are; each stands for those up to the
 * next, its members. O(n d). CRISP: Clustering Multi-Vector Representations for Denoising and Pruning (2025).
 *
 * @param vectors - rows x dimension finite values, document after document
 * @param lengths - vectors per document, each at least 1, together all of `vectors`
 * @returns as `poolVectors`, for `PooledBounds` and `poolQuads`
 * @throws GranuleError `INVALID_ARGUMENT`, `DIMENSION_INVALID`, `LENGTH_MISMATCH`, `EMPTY_DOCUMENT`, `NOT_FINITE`
 */
export function spaceTokens(
  vectors: Float32Array | Matrix,
  lengths: Uint32Array,
  options: TokenSpacingOptions,
): PooledVectors {
  checkKeys(options, ['dimension', 'metric', 'spacing', 'protect']);
  const spacing = checkWhole(options.spacing ?? 2, 1, 'spacing');
  const protect = checkProtect(options.protect);
  const documents = documentVectors(vectors, lengths, options);
  const leaders = new Uint32Array(documents.vectors.rows);
  let start = 0;
  for (const length of documents.lengths) {
    for (let i = 0; i < length; i++) {
      leaders[start + i] = start + (i < protect ? i : i - ((i - protect) % spacing));
    }
    start += length;
  }
  return pooledByLeaders(documents, leaders, 'leader');
}
