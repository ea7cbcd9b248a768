/**
 * Joint training of an entity tower, a query tower and a reader.
 *
 * @module
 */
export type { JointExample, JointKnowledge, JointPart, JointQuestion } from './joint-knowledge.js';
export * from './joint-model.js';
export type { JointLoss, JointObjectiveOptions } from './joint-objective.js';
export type { JointPaths, JointTemperatures } from './joint-paths.js';
export type { JointRates, JointTrainingStep } from './joint-training-step.js';
export type { TowerHits } from './tower-hits.js';
export { TowerSearch } from './tower-search.js';
export * from './train-joint.js';
