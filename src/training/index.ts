/**
 * Training on top of frozen embeddings.
 *
 * @module
 */
export type { TowerKind } from '../native/training-types.js';
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
export {
  AdamW,
  type AdamWOptions,
  type AdamWState,
  type AdamWStepOptions,
} from './towers/adamw.js';
export type { TowerStart } from './towers/initial-parameters.js';
export { namedParameters, type Parameter, zeroParameter } from './towers/parameter.js';
export { type ForwardOptions, Tower, type TowerOptions } from './towers/tower.js';
export { type BackwardOptions, TowerPass } from './towers/tower-pass.js';
export type {
  LinearTowerShape,
  LowRankTowerShape,
  MlpTowerShape,
  TowerShape,
} from './towers/tower-shape.js';
export type { Mapped, TowerVectors } from './towers/tower-vectors.js';
