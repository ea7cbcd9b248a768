/**
 * Trained towers as files, and inside of the models whose vectors they map.
 *
 * @module
 */
export { type FoldedTower, type FoldTowerOptions, foldTower } from './fold-tower.js';
export type { FoldedPooling } from './onnx/folded-model.js';
export {
  type ReadTowerFile,
  readTowers,
  type TowerFile,
  type TowerFileOptions,
  writeTowers,
} from './tower-file.js';
