/**
 * Levels of granularity: rows to documents and entities, scores over several vectors per document, fewer vectors.
 *
 * @module
 */

export {
  type AggregationMethod,
  type AggregationOptions,
  aggregateByGroup,
  GROUP_SCORES,
  type GroupedList,
  type GroupScore,
} from './aggregate-by-group.js';
export {
  type InteractiveSimilarity,
  type InteractiveSimilarityOptions,
  interactiveSimilarityAggregation,
} from './interactive-similarity-aggregation.js';
export type { DocumentVectorOptions } from './pooling/document-vectors.js';
export { type FrameMergingOptions, type MergedFrames, mergeFrames } from './pooling/merge-frames.js';
export { mergeTokens, type TokenMergingOptions } from './pooling/merge-tokens.js';
export { type GridPoolingOptions, type PatchGrid, poolGrid } from './pooling/pool-grid.js';
export { pruneTail, type TailPruningOptions } from './pooling/prune-tail.js';
export { spaceTokens, type TokenSpacingOptions } from './pooling/space-tokens.js';
export { TOKEN_POOLINGS } from './pooling/token-poolings.js';
export { type QueryBankOptions, queryBankBiases } from './query-bank-biases.js';
export { bestMatches, transposeTile } from './scores/best-matches.js';
export { groupWeights, type QueryGroup } from './scores/group-weights.js';
export {
  MULTI_VECTOR_SCORES,
  type MultiVectorScoreName,
  type MultiVectorScoreOptions,
  type MultiVectorScoreOptionsByName,
} from './scores/multi-vector-scores.js';
export { ScoredDocuments, scoreDocuments } from './scores/score-documents.js';
export type {
  BiIsaOptions,
  FilipOptions,
  FlairOptions,
  PaclOptions,
  QueryWeightOptions,
  SmoothMaxSimOptions,
  TopMeanSimOptions,
} from './scores/score-options.js';
export { type ScoringOptions, similarityTile } from './scores/similarity-tile.js';
