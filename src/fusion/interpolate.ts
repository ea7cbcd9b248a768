import { GranuleError } from '../errors.js';
import { show } from '../index/arguments.js';
import type { RankedList } from '../ranking/ranked-list.js';
import type { Normalisation } from './normalisation/normalisations.js';
import { weightedSum } from './weighted-sum.js';

/** Options of `interpolate`. */
export interface InterpolationOptions {
  /** Weight a of the first list, 0 to 1; no default, for none was published: tune it. */
  readonly weight: number;
  /** `none` by default: scores as they are. */
  readonly normalisation?: Normalisation | undefined;
}

/**
 * Interpolates two lists of one query: s(d) = a s_1(d) + (1 - a) s_2(d) over the rows of both. A row that one list lacks
 * has that list's least score there. O(places log).
 *
 * Source: Li et al., "To Interpolate or not to Interpolate: PRF, Dense and Sparse Retrievers" (2022).
 *
 * @throws GranuleError `INVALID_ARGUMENT`, `NOT_FINITE` for an infinite score
 */
export function interpolate(
  first: RankedList,
  second: RankedList,
  { weight, normalisation = 'none' }: InterpolationOptions,
): RankedList {
  if (typeof weight !== 'number' || !(weight >= 0 && weight <= 1)) {
    throw new GranuleError('INVALID_ARGUMENT', `weight must be a number from 0 to 1, got ${show(weight)}`);
  }
  return weightedSum([first, second], { weights: [weight, 1 - weight], normalisation, missing: 'minimum' });
}
