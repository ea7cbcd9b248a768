/**
 * Retrieval pipelines as plain data: stages that search, fuse, rerank and aggregate.
 *
 * @module
 */
export type { Bm25SourceOptions } from './bm25-passage-source.js';
export { type CorpusSourcesOptions, corpusSources } from './corpus-sources.js';
export { type ImageSourcesOptions, imageSources } from './image-sources.js';
export { type PassageSources, type PassageSourcesOptions, passageSources } from './passage-sources.js';
export {
  type PipelineResult,
  type PipelineRetrieveOptions,
  pipeline,
  RetrievalPipeline,
  type StageTrace,
} from './pipeline.js';
export { pipelineSchema } from './pipeline-schema.js';
export {
  type ApproximateSource,
  type DenseSource,
  type MatchedList,
  type MultiVectorSource,
  type MultiVectorSourceOptions,
  mergeSources,
  type PipelineQuery,
  type PipelineSources,
  type Source,
  type SourceOptions,
  type SourceSearchOptions,
  type SparseSource,
  type TextsOfRows,
} from './sources.js';
export { type AggregateOptions, aggregate } from './stages/aggregate.js';
export { type ApproximateOptions, approximate } from './stages/approximate.js';
export { type CutOptions, cut } from './stages/cut.js';
export { type DenseOptions, dense } from './stages/dense.js';
export { type DiversifyStageOptions, diversify } from './stages/diversify.js';
export { type FeedbackOptions, feedback } from './stages/feedback.js';
export { type FuseOptions, fuse } from './stages/fuse.js';
export { type GuidedRefinementStageOptions, guidedRefinement } from './stages/guided-refinement.js';
export { type JitterStageOptions, jitter } from './stages/jitter.js';
export { type LateInteractionOptions, lateInteraction } from './stages/late-interaction.js';
export { type MaxSimOptions, maxsim } from './stages/maxsim.js';
export { type NormaliseOptions, normalise } from './stages/normalise.js';
export { type SparseOptions, sparse } from './stages/sparse.js';
export { type PipelineStage, STAGES, type StageName } from './stages.js';
export type { Evidence } from './state.js';
