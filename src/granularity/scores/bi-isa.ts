import { checkKeys } from '../../index/arguments.js';
import { type Matrix, matrixRow } from '../../vectors/matrix.js';
import {
  type InteractiveSimilarityOptions,
  interactiveSimilarityAggregation,
} from '../interactive-similarity-aggregation.js';
import { transposeTile } from './best-matches.js';
import { checkTile } from './query-reduction.js';

/** Options of `biIsa`: the matrices W that were learned, each the identity by default. */
export interface BiIsaOptions {
  /** The t of every softmax, 0.01 by default. */
  readonly temperature?: number | undefined;
  /** n_q x n_q, of the aggregation of a patch's similarities over the words. */
  readonly wordMixing?: Matrix | undefined;
  /** n_d x n_d, of the patches' results that follow from it. */
  readonly overPatchesMixing?: Matrix | undefined;
  /** n_d x n_d, of the aggregation of a word's similarities over the patches. */
  readonly patchMixing?: Matrix | undefined;
  /** n_q x n_q, of the words' results that follow from it. */
  readonly overWordsMixing?: Matrix | undefined;
}

/**
 * Interactive similarity aggregation over words, then over patches; over patches, then over words; and the mean of the
 * two. O(n_q n_d). Unified Coarse-to-Fine Alignment for Video-Text Retrieval (2023).
 *
 * @param tile - n_q x n_d similarities of words and patches; `similarityTile` makes it
 * @returns -Infinity where n_d is 0
 * @throws GranuleError `INVALID_ARGUMENT`, `LENGTH_MISMATCH`, `NOT_FINITE`, `TEMPERATURE_INVALID`
 */
export function biIsa(tile: Matrix, options: BiIsaOptions = {}): number {
  checkKeys(options, ['temperature', 'wordMixing', 'overPatchesMixing', 'patchMixing', 'overWordsMixing']);
  checkTile(tile);
  if (tile.columns === 0) return Number.NEGATIVE_INFINITY;
  const { temperature, wordMixing, overPatchesMixing, patchMixing, overWordsMixing } = options;
  const patches = rowScores(transposeTile(tile), { temperature, mixing: wordMixing });
  const words = rowScores(tile, { temperature, mixing: patchMixing });
  const wordsFirst = interactiveSimilarityAggregation(patches, { temperature, mixing: overPatchesMixing });
  const patchesFirst = interactiveSimilarityAggregation(words, { temperature, mixing: overWordsMixing });
  return (wordsFirst.score + patchesFirst.score) / 2;
}

function rowScores(tile: Matrix, options: InteractiveSimilarityOptions): Float64Array {
  return Float64Array.from(
    { length: tile.rows },
    (_, row) => interactiveSimilarityAggregation(matrixRow(tile, row), options).score,
  );
}
