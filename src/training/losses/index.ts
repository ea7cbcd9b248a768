/**
 * Losses of retrievers, rerankers and readers: pure functions in float64, each with its gradient.
 *
 * @module
 */
export * from './agreement-labels.js';
export * from './bi-granular-relevance.js';
export type { VectorContrastOptions } from './contrast-arguments.js';
export * from './distillation.js';
export * from './duplicate-mask.js';
export * from './in-batch-contrast.js';
export * from './in-batch-contrast-of-towers.js';
export * from './in-batch-contrast-of-vectors.js';
export type { InBatchPairs } from './in-batch-pairs.js';
export * from './joint-path-loss.js';
export * from './lambda-loss.js';
export * from './list-net.js';
export type { Floats, ListLoss, TemperatureOption, TemperedLoss } from './loss-arguments.js';
export * from './marginal-likelihood.js';
export * from './max-sim-contrast-of-vectors.js';
export * from './mix-losses.js';
export * from './patches/best-match-scores.js';
export * from './patches/pacl-score.js';
export * from './patches/patch-contrast.js';
export * from './patches/patch-contrast-of-vectors.js';
export * from './patches/sparc-contrast.js';
export * from './patches/sparc-score.js';
export type { PairScore, VectorSet } from './patches/vector-sets.js';
export * from './perplexity-distillation.js';
export * from './pointwise-cross-entropy.js';
export * from './rank-net.js';
export * from './replug.js';
export * from './shared-relevance.js';
export * from './softmax-binary-cross-entropy.js';
export * from './softmax-cross-entropy.js';
export * from './wasserstein.js';
