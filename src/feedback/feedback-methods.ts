import { GranuleError } from '../errors.js';
import { show } from '../index/arguments.js';
import type { Matrix } from '../vectors/matrix.js';
import { type AverageFeedbackOptions, averageFeedback } from './average-feedback.js';
import { type RocchioFeedbackOptions, rocchioFeedback } from './rocchio-feedback.js';

/** The methods that move a query's one vector, by the names that a pipeline gives them. */
export const FEEDBACK_METHODS = {
  average: averageFeedback,
  rocchio: rocchioFeedback,
};

/** One of the names in `FEEDBACK_METHODS`. */
export type FeedbackMethod = keyof typeof FEEDBACK_METHODS;

/** A feedback method as plain data: its name beside its options. */
export type VectorFeedback =
  | ({ readonly method: 'average' } & AverageFeedbackOptions)
  | ({ readonly method: 'rocchio' } & RocchioFeedbackOptions);

/**
 * Moves a query towards the documents of a feedback, by a method that is given as data.
 *
 * @param query - d values
 * @param feedback - m x d
 * @throws GranuleError `INVALID_ARGUMENT`, `LENGTH_MISMATCH`
 *
 * @example
 * ```ts
 * const moved = refineQuery(query, vectors, { method: 'rocchio', alpha: 0.4, beta: 0.6 });
 * ```
 */
export function refineQuery(query: Float32Array, feedback: Matrix, method: VectorFeedback): Float32Array {
  if (!Object.hasOwn(FEEDBACK_METHODS, method?.method)) {
    const names = Object.keys(FEEDBACK_METHODS).join(', ');
    throw new GranuleError('INVALID_ARGUMENT', `method must be one of ${names}, got ${show(method?.method)}`);
  }
  return FEEDBACK_METHODS[method.method](query, feedback, method);
}
