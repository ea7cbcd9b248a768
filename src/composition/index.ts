/**
 * Queries of several parts, conditions and modalities.
 *
 * @module
 */
export {
  calibrateModalities,
  type ModalityStatistics,
  modalityStatistics,
} from './calibrate-modalities.js';
export {
  type ComposeOptions,
  composeQuery,
  type FacetQueryOptions,
  facetQueries,
  type QueryPart,
} from './compose-query.js';
export { type ConditionOptions, type ConditionScores, conditionScores } from './condition-scores.js';
export { type CoverOptions, coverFacets, type FacetCover } from './cover-facets.js';
export {
  intersectionOfParts,
  type PatchProjectionOptions,
  projectOnRelevantPatches,
  unionOfParts,
} from './image-text-intersection.js';
export { type JitterOptions, jitterQuery, resultDispersion } from './query-jitter.js';
export {
  fuseRoute,
  type ModalityCentroids,
  type ModalityRoute,
  modalityCentroids,
  type RoutingOptions,
  routeByModality,
} from './route-by-modality.js';
