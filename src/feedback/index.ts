/**
 * Pseudo-relevance feedback: queries that move towards what a first search found.
 *
 * @module
 */
export { type AverageFeedbackOptions, averageFeedback } from './average-feedback.js';
export {
  type CentroidFeedback,
  type CentroidFeedbackOptions,
  centroidFeedback,
} from './centroid-feedback.js';
export {
  FEEDBACK_METHODS,
  type FeedbackMethod,
  refineQuery,
  type VectorFeedback,
} from './feedback-methods.js';
export {
  type GuidedQuery,
  type GuidedRefinementOptions,
  guidedRefinement,
} from './guided-refinement.js';
export { type RocchioFeedbackOptions, rocchioFeedback } from './rocchio-feedback.js';
export { scoreMargin } from './score-margin.js';
export {
  type FeedbackResult,
  type FeedbackSearchOptions,
  type FeedbackSteps,
  type SparseInterpolation,
  searchWithFeedback,
} from './search-with-feedback.js';
