export {
  exponentialWeight,
  type GranularityOptions,
  type GranularityScores,
  type GranularitySummary,
  granularityScores,
  summariseGranularity,
} from './granularity-scores.js';
export {
  type GroundedAnswer,
  type HallucinationOptions,
  type HallucinationRates,
  hallucinationRates,
} from './hallucination-rates.js';
export {
  type FoundAt,
  type KeywordCoverage,
  type KeywordOptions,
  keywordCoverage,
  type QueryKeywords,
  type StagedQuery,
  type StageLosses,
  type StageOptions,
  stageLosses,
} from './keyword-coverage.js';
export { type ListScores, listScores, listSpan } from './list-scores.js';
export { optimalAssignment } from './optimal-assignment.js';
export {
  evaluatePartitions,
  type GroupMean,
  meansByGroup,
  type PairPredicate,
  partitionQrels,
} from './partitions.js';
export { type RougeScores, rougeL } from './rouge-l.js';
export {
  type WebQaCategory,
  type WebQaOptions,
  type WebQaScores,
  webQaScores,
  withoutPlural,
} from './webqa-accuracy.js';
export { COLOURS, SHAPES } from './webqa-vocabularies.js';
