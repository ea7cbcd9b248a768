/**
 * Brings ranked lists to one scale and fuses them; finds the weights.
 *
 * @module
 */
export { averageRank, type RankFusionOptions } from './average-rank.js';
export { bordaCount } from './borda-count.js';
export { combMnz } from './comb-mnz.js';
export { type CombinationOptions, combSum } from './comb-sum.js';
export { type DempsterShaferOptions, dempsterShafer } from './evidence/dempster-shafer.js';
export {
  combineAllEvidence,
  combineEvidence,
  type EvidenceMass,
  type EvidenceTrust,
  evidenceMass,
  NO_EVIDENCE,
  pignisticProbability,
} from './evidence/evidence-mass.js';
export { type EvidenceOptions, evidenceMasses } from './evidence/evidence-masses.js';
export {
  type EvidenceTriple,
  type EvidenceTripleOptions,
  evidenceTriples,
  itemsOfTriples,
  type ModalityLists,
  type TriplePrior,
  type TripleQuotas,
} from './evidence/evidence-triples.js';
export {
  type BoxPlace,
  type LayoutPriorOptions,
  layoutPrior,
  type PagePlace,
  type RelationPriorOptions,
  relationPrior,
} from './evidence/triple-priors.js';
export { FUSION_METHODS, type Fusion, type FusionMethod, fuse } from './fuse.js';
export { type InterpolationOptions, interpolate } from './interpolate.js';
export { defaultMinimum } from './normalisation/default-minimum.js';
export type { NormalisationOptions } from './normalisation/finite-scores.js';
export {
  type GlobalZmuvOptions,
  globalStatistics,
  globalZmuvNorm,
  type ScoreStatistics,
} from './normalisation/global-zmuv-norm.js';
export { maxNorm } from './normalisation/max-norm.js';
export { minMaxNorm } from './normalisation/min-max-norm.js';
export {
  NORMALISATIONS,
  type Normalisation,
  type NormalisationName,
  normalise,
} from './normalisation/normalisations.js';
export { rankNorm } from './normalisation/rank-norm.js';
export { type SoftmaxNormOptions, softmaxNorm } from './normalisation/softmax-norm.js';
export { sumNorm } from './normalisation/sum-norm.js';
export { zmuvNorm } from './normalisation/zmuv-norm.js';
export { type ReciprocalRankFusionOptions, reciprocalRankFusion } from './reciprocal-rank-fusion.js';
export {
  SCORE_BASED_FUSION_PRESETS,
  type ScoreBasedFusionOptions,
  type ScoreBasedFusionPreset,
  scoreBasedFusion,
  scoreBasedFusionStatistics,
} from './score-based-fusion.js';
export type { ScoreFusionOptions } from './score-fusion.js';
export {
  type CrossValidatedWeights,
  type CrossValidationOptions,
  crossValidateWeights,
  type FusionMetric,
  type FusionWithoutWeights,
  type TunedWeights,
  tuneWeights,
  type WeightTuningOptions,
} from './tune-weights.js';
export { type WeightedSumOptions, weightedSum } from './weighted-sum.js';
