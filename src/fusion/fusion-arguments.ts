/**
 * Checks of what fusion methods are given.
 *
 * @module
 */
import { GranuleError } from '../errors.js';
import { show } from '../index/arguments.js';
import type { RankedList } from '../ranking/ranked-list.js';

/** @throws GranuleError `INVALID_ARGUMENT` */
export function checkLists(lists: readonly RankedList[]): void {
  if (!Array.isArray(lists)) {
    throw new GranuleError('INVALID_ARGUMENT', `lists must be an array of ranked lists, got ${show(lists)}`);
  }
}

/**
 * One finite weight per list.
 *
 * @throws GranuleError `INVALID_ARGUMENT`, `LENGTH_MISMATCH`
 */
export function checkWeights(weights: readonly number[], lists: readonly RankedList[]): readonly number[] {
  if (!Array.isArray(weights) || !weights.every((weight) => Number.isFinite(weight))) {
    throw new GranuleError(
      'INVALID_ARGUMENT',
      `weights must be an array of finite numbers, got ${show(weights)}`,
    );
  }
  if (weights.length !== lists.length) {
    throw new GranuleError('LENGTH_MISMATCH', `${lists.length} lists have ${weights.length} weights`, {
      lists: lists.length,
      weights: weights.length,
    });
  }
  return weights;
}

/**
 * Weights of at least 0, divided by their sum; equal ones where none are given.
 *
 * @throws GranuleError `INVALID_ARGUMENT`, `LENGTH_MISMATCH`
 */
export function weightShares(
  weights: readonly number[] | undefined,
  lists: readonly RankedList[],
): readonly number[] {
  if (weights === undefined) return lists.map(() => 1 / lists.length);
  const sum = checkWeights(weights, lists).reduce((total, weight) => total + weight, 0);
  if (weights.some((weight) => weight < 0) || (weights.length > 0 && !(sum > 0))) {
    throw new GranuleError(
      'INVALID_ARGUMENT',
      `weights must be at least 0 and one above 0, got ${weights.join(', ')}`,
    );
  }
  return weights.map((weight) => weight / sum);
}
