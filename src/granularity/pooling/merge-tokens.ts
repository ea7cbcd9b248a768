import { checkKeys } from '../../index/arguments.js';
import { checkKeep, checkProtect, type PooledVectors } from '../../index/pool-vectors.js';
import type { Matrix } from '../../vectors/matrix.js';
import { leadersOf, type MergedToken, mergeAlternating, singleToken } from './bipartite-matching.js';
import { type DocumentVectorOptions, documentVectors, pooledByLeaders } from './document-vectors.js';

/** Options of `mergeTokens`. Give either `factor` or `count`. */
export interface TokenMergingOptions extends DocumentVectorOptions {
  /** Keep ceil(n / factor) of n vectors, `protect` aside; a number of at least 1. */
  readonly factor?: number | undefined;
  /** Keep at most so many vectors of a document, `protect` included; a whole number above `protect`. */
  readonly count?: number | undefined;
  /** So many first vectors of each document (a class token, say) are kept as they are; 0 by default. */
  readonly protect?: number | undefined;
}

/**
 * Token merging by bipartite soft matching, within each document: vectors at even places are linked with the most similar (by cosine)
 * at odd places, and the most similar links merge into means that weigh by size; in rounds that halve the document
 * at most, until as many are left as are to be kept. Exactly so many are left. O(n^2 d) for a document of n vectors: cheaper than
 * Ward's method, and coarser. Token Merging: Your ViT But Faster (2022).
 *
 * @param vectors - rows x dimension finite values, document after document
 * @param lengths - vectors per document, each at least 1, together all of `vectors`
 * @returns as `poolVectors`, for `PooledBounds` and `poolQuads`
 * @throws GranuleError `INVALID_ARGUMENT`, `DIMENSION_INVALID`, `LENGTH_MISMATCH`, `EMPTY_DOCUMENT`, `NOT_FINITE`
 */
export function mergeTokens(
  vectors: Float32Array | Matrix,
  lengths: Uint32Array,
  options: TokenMergingOptions,
): PooledVectors {
  checkKeys(options, ['dimension', 'metric', 'factor', 'count', 'protect']);
  const protect = checkProtect(options.protect);
  const keep = checkKeep(options, protect);
  const documents = documentVectors(vectors, lengths, options);
  const merged: MergedToken[] = [];
  let start = 0;
  for (const length of documents.lengths) {
    const first = start + Math.min(length, protect);
    start += length;
    const tokens = Array.from({ length: start - first }, (_, i) => singleToken(documents.vectors, first + i));
    merged.push(...mergeAlternating(tokens, keep(tokens.length)));
  }
  return pooledByLeaders(documents, leadersOf(merged, start));
}
