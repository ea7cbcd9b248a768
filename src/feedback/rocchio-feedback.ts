import { GranuleError } from '../errors.js';
import { checkFloat32, checkKeys, show } from '../index/arguments.js';
import type { Matrix } from '../vectors/matrix.js';
import { checkFeedback, rounded, sumOfRows } from './feedback-vectors.js';

/** Options of `rocchioFeedback`. */
export interface RocchioFeedbackOptions {
  /** The name in `FEEDBACK_METHODS` under which the method was called; not read. */
  readonly method?: string | undefined;
  /** Weight of the query, finite, 0.4 by default. */
  readonly alpha?: number | undefined;
  /** Weight of the documents' mean, finite, 0.6 by default. */
  readonly beta?: number | undefined;
  /** Divides the new query by its norm; false by default, as published. */
  readonly normalise?: boolean | undefined;
}

/**
 * Pseudo-relevance feedback by Rocchio's rule: q' = alpha q + beta mean(d_1, ..., d_m), in float64, rounded once. Without feedback
 * q' = q. O(m d). Five documents, alpha 0.4 and beta 0.6 are customary.
 *
 * Sources: Rocchio, "Relevance Feedback in Information Retrieval" (1971); for dense vectors Li et al., "Pseudo Relevance Feedback with
 * Deep Language Models and Dense Retrievers: Successes and Pitfalls" (2021).
 *
 * @param query - d values
 * @param feedback - m x d, the vectors of the documents that are taken to be relevant
 * @throws GranuleError `INVALID_ARGUMENT`, `LENGTH_MISMATCH`
 */
export function rocchioFeedback(
  query: Float32Array,
  feedback: Matrix,
  options: RocchioFeedbackOptions = {},
): Float32Array {
  checkKeys(options, ['method', 'alpha', 'beta', 'normalise']);
  const { alpha = 0.4, beta = 0.6, normalise = false } = options;
  for (const [name, value] of Object.entries({ alpha, beta })) {
    if (!Number.isFinite(value)) {
      throw new GranuleError('INVALID_ARGUMENT', `${name} must be a finite number, got ${show(value)}`);
    }
  }
  checkFeedback(feedback, checkFloat32(query, 'query').length);
  if (feedback.rows === 0) return rounded(Float64Array.from(query), normalise);
  const sum = sumOfRows(feedback);
  return rounded(
    sum.map((value, i) => alpha * query[i]! + (beta * value) / feedback.rows),
    normalise,
  );
}
