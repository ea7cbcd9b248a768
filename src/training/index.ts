/**
 * Training on top of frozen embeddings.
 *
 * @module
 */
export type { ContrastDirection, TowerKind } from '../native/training-types.js';
export * from './export/index.js';
export {
  type FitReaderOptions,
  fitExtractiveReader,
  type ReaderExample,
  readerObjective,
} from './fit-extractive-reader.js';
export * from './joint/index.js';
export * from './losses/index.js';
export * from './policies/index.js';
export * from './reader/index.js';
export type { CheckpointOptions } from './run/checkpoint-file.js';
export type { Decay, ScheduleOptions } from './run/learning-rate.js';
export {
  AdamW,
  type AdamWOptions,
  type AdamWState,
  type AdamWStepOptions,
} from './towers/adamw.js';
export type { TowerStart } from './towers/initial-parameters.js';
export { namedParameters, type Parameter, zeroParameter } from './towers/parameter.js';
export { type ForwardOptions, Tower, type TowerOptions } from './towers/tower.js';
export { type BackwardOptions, type InputGradient, TowerPass } from './towers/tower-pass.js';
export type {
  LinearTowerShape,
  LowRankTowerShape,
  MlpTowerShape,
  TowerShape,
} from './towers/tower-shape.js';
export type { Mapped, TowerVectors } from './towers/tower-vectors.js';
export { Workspace } from './towers/workspace.js';
export { adaptedImageEncoder } from './trainer/adapted-image-encoder.js';
export { adaptedTextEncoder } from './trainer/adapted-text-encoder.js';
export {
  type AdaptedEncoder,
  type Adapter,
  identityOf,
  loadAdapter,
  requireEncoderOf,
  saveAdapter,
} from './trainer/adapter.js';
export { RETRIEVER_LOSSES, type RetrieverLoss } from './trainer/batch-losses.js';
export { type CorpusAdapter, readCorpusAdapter } from './trainer/corpus-adapter.js';
export { type DividedLines, divideLines, refuseLeaks } from './trainer/divide-lines.js';
export type { TrainingEnd } from './trainer/retriever-training.js';
export {
  type CorpusExamples,
  type TrainCorpusOptions,
  type TrainedCorpusRetriever,
  trainCorpusRetriever,
} from './trainer/train-corpus-retriever.js';
export type { TrainOptions, TrainPlan } from './trainer/train-options.js';
export { type TrainedRetriever, trainRetriever } from './trainer/train-retriever.js';
export { trainingCurves } from './trainer/training-curves.js';
export type { JudgedQueries, RetrieverData } from './trainer/training-data.js';
export type {
  TrainingEvaluation,
  TrainingEvent,
  TrainingHistory,
  TrainingStep,
} from './trainer/training-history.js';
export { readTrainingLines, type TrainingLine } from './trainer/training-lines.js';
export { TrainingLog } from './trainer/training-log.js';
