import { checkFloat32, checkKeys } from '../index/arguments.js';
import type { Matrix } from '../vectors/matrix.js';
import { checkFeedback, rounded, sumOfRows } from './feedback-vectors.js';

/** Options of `averageFeedback`. */
export interface AverageFeedbackOptions {
  /** The name in `FEEDBACK_METHODS` under which the method was called; not read. */
  readonly method?: string | undefined;
  /** Divides the new query by its norm; false by default, as published. */
  readonly normalise?: boolean | undefined;
}

/**
 * Pseudo-relevance feedback by averaging: q' = (q + d_1 + ... + d_m) / (m + 1), in float64, rounded once. Without feedback q' = q.
 * O(m d). Three documents are customary.
 *
 * Source: Li et al., "Pseudo Relevance Feedback with Deep Language Models and Dense Retrievers: Successes and Pitfalls" (2021).
 *
 * @param query - d values
 * @param feedback - m x d, the vectors of the documents that are taken to be relevant
 * @throws GranuleError `INVALID_ARGUMENT`, `LENGTH_MISMATCH`
 */
export function averageFeedback(
  query: Float32Array,
  feedback: Matrix,
  options: AverageFeedbackOptions = {},
): Float32Array {
  checkKeys(options, ['method', 'normalise']);
  checkFeedback(feedback, checkFloat32(query, 'query').length);
  const sum = sumOfRows(feedback);
  return rounded(
    sum.map((value, i) => (query[i]! + value) / (feedback.rows + 1)),
    options.normalise ?? false,
  );
}
