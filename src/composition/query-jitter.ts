import { GranuleError } from '../errors.js';
import { checkFloat32, checkKeys, show } from '../index/arguments.js';
import { firstPlaces, type RankedList } from '../ranking/ranked-list.js';
import { SeededRandom } from '../ranking/seeded-random.js';
import { type Matrix, matrix } from '../vectors/matrix.js';

/** Options of `jitterQuery`. */
export interface JitterOptions {
  /** T, how many queries; 8 by default. */
  readonly count?: number | undefined;
  /** Scale of the perturbation, at least 0; 1, the default, is the published one. */
  readonly scale?: number | undefined;
  /** Of the random numbers; 0 by default. */
  readonly seed?: number | string | undefined;
}

/**
 * Perturbed copies of a query: with mean mu and standard deviation sigma over its numbers and n = (q - mu) / sigma,
 *
 *     q' = A n + B        A_k of mean sigma, B_k of mean mu, both normal with deviation scale sigma^2, independent for each number
 *
 * so that q' = q without perturbation. Search with all of them: the union widens the pool of candidates, and how much the lists
 * disagree (`resultDispersion`) says how uncertain the query is. O(count x d).
 *
 * After the feature augmentation of "Composed Image Retrieval with Text Feedback via Multi-grained Uncertainty Regularization" (2024), which
 * perturbs targets in training; A is centred on sigma here, not on 1, to keep the query's own scale.
 *
 * @param query - d finite numbers
 * @returns count x d
 * @throws GranuleError `INVALID_ARGUMENT`, `LENGTH_MISMATCH`, `NOT_FINITE`
 */
export function jitterQuery(query: Float32Array, options: JitterOptions = {}): Matrix {
  checkKeys(options, ['count', 'scale', 'seed']);
  const { count = 8, scale = 1, seed = 0 } = options;
  if (!Number.isSafeInteger(count) || count < 1) {
    throw new GranuleError('INVALID_ARGUMENT', `count must be a positive integer, got ${show(count)}`);
  }
  if (typeof scale !== 'number' || !Number.isFinite(scale) || scale < 0) {
    throw new GranuleError(
      'INVALID_ARGUMENT',
      `scale must be a finite number of at least 0, got ${show(scale)}`,
    );
  }
  if (checkFloat32(query, 'query').length === 0) {
    throw new GranuleError('LENGTH_MISMATCH', 'query must hold at least one number');
  }
  const bad = query.findIndex((value) => !Number.isFinite(value));
  if (bad !== -1) throw new GranuleError('NOT_FINITE', `query holds ${query[bad]}`, { column: bad });
  const mean = query.reduce((sum, value) => sum + value, 0) / query.length;
  const variance = query.reduce((sum, value) => sum + (value - mean) ** 2, 0) / query.length;
  const deviation = Math.sqrt(variance);
  const random = new SeededRandom(seed);
  const jittered = new Float32Array(count * query.length);
  for (let at = 0; at < jittered.length; at++) {
    const value = query[at % query.length]!;
    const normalised = deviation === 0 ? 0 : (value - mean) / deviation;
    const noise = random.normal() * normalised + random.normal();
    jittered[at] = value + scale * variance * noise;
  }
  return matrix(jittered, query.length);
}

/**
 * How far result lists disagree: 1 less the mean, over all pairs, of |A and B| / |A or B| of their first k rows. 0 where all hold the
 * same rows, 1 where none shares any; 0 for fewer than two lists. Two empty lists agree. O(lists^2 x k).
 *
 * @param k - at least 1
 * @throws GranuleError `K_OUT_OF_RANGE`
 */
export function resultDispersion(lists: readonly RankedList[], k: number): number {
  const sets = lists.map((list) => new Set(firstPlaces(list, k).rows));
  let [agreement, pairs] = [0, 0];
  for (const [a, first] of sets.entries()) {
    for (const second of sets.slice(a + 1)) {
      const shared = [...first].filter((row) => second.has(row)).length;
      const all = first.size + second.size - shared;
      agreement += all === 0 ? 1 : shared / all;
      pairs++;
    }
  }
  return pairs === 0 ? 0 : 1 - agreement / pairs;
}
