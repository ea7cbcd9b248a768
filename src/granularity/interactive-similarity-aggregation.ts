import { GranuleError } from '../errors.js';
import { checkKeys, checkTemperature } from '../index/arguments.js';
import type { Matrix } from '../vectors/matrix.js';
import { softmax } from './softmax.js';

/** Options of `interactiveSimilarityAggregation`. */
export interface InteractiveSimilarityOptions {
  /** The t of both softmaxes, 0.01 by default. */
  readonly temperature?: number | undefined;
  /** W, square, with a row and a column per similarity; the identity by default, which needs no training. */
  readonly mixing?: Matrix | undefined;
}

/** A similarity that several were made into. */
export interface InteractiveSimilarity {
  readonly score: number;
  /** What each similarity counts: not negative, together 1. */
  readonly weights: Float64Array;
}

/**
 * Interactive similarity aggregation of similarities c, of a query with the frames of a video, say:
 *
 *     w = softmax( (softmax(c / t) W) / t )        score = sum over i of w_i c_i
 *
 * With the identity for W a softmax pooling, sharper than a single softmax: only what is close to the greatest counts.
 * O(n), with W O(n^2). Unified Coarse-to-Fine Alignment for Video-Text Retrieval (2023).
 *
 * @param similarities - one or more finite numbers
 * @throws GranuleError `INVALID_ARGUMENT`, `LENGTH_MISMATCH`, `NOT_FINITE`, `TEMPERATURE_INVALID`
 */
export function interactiveSimilarityAggregation(
  similarities: ArrayLike<number>,
  options: InteractiveSimilarityOptions = {},
): InteractiveSimilarity {
  checkKeys(options, ['temperature', 'mixing']);
  const temperature = checkTemperature(options.temperature ?? 0.01);
  const { length } = similarities;
  if (length === 0) throw new GranuleError('LENGTH_MISMATCH', 'there must be at least one similarity');
  for (let i = 0; i < length; i++) {
    if (Number.isFinite(similarities[i])) continue;
    throw new GranuleError('NOT_FINITE', `similarity ${i} is ${similarities[i]}`, { column: i });
  }
  const inner = softmax(similarities, temperature);
  const weights = softmax(options.mixing ? mixed(inner, options.mixing) : inner, temperature);
  let score = 0;
  for (let i = 0; i < length; i++) score += weights[i]! * similarities[i]!;
  return { score, weights };
}

/** The row vector times W. */
function mixed(weights: Float64Array, { data, rows, columns }: Matrix): Float64Array {
  if (rows !== weights.length || columns !== rows || data.length !== rows * columns) {
    throw new GranuleError(
      'LENGTH_MISMATCH',
      `mixing must be a matrix of ${weights.length} x ${weights.length}, got ${rows} x ${columns}`,
      { rows, columns },
    );
  }
  const out = new Float64Array(columns);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) {
      const value = data[i * columns + j]!;
      if (!Number.isFinite(value)) {
        throw new GranuleError('NOT_FINITE', `mixing is ${value} at ${i}, ${j}`, { row: i, column: j });
      }
      out[j]! += weights[i]! * value;
    }
  }
  return out;
}
