import { GranuleError } from '../../errors.js';
import { show } from '../../index/arguments.js';
import type { RankedList } from '../../ranking/ranked-list.js';
import { checkNormalisation, type NormalisationOptions } from './finite-scores.js';
import { globalZmuvNorm } from './global-zmuv-norm.js';
import { maxNorm } from './max-norm.js';
import { minMaxNorm } from './min-max-norm.js';
import { rankNorm } from './rank-norm.js';
import { softmaxNorm } from './softmax-norm.js';
import { sumNorm } from './sum-norm.js';
import { zmuvNorm } from './zmuv-norm.js';

/** The normalisations by the names that a pipeline gives them; `none` leaves the scores as they are. */
export const NORMALISATIONS = {
  none,
  zmuv: zmuvNorm,
  'global-zmuv': globalZmuvNorm,
  'min-max': minMaxNorm,
  softmax: softmaxNorm,
  max: maxNorm,
  sum: sumNorm,
  rank: rankNorm,
};

/** One of the names in `NORMALISATIONS`. */
export type NormalisationName = keyof typeof NORMALISATIONS;

/**
 * A normalisation as plain data: its name, or its name as `method` beside its options.
 *
 * @example
 * ```ts
 * const byList: Normalisation[] = ['zmuv', { method: 'softmax', temperature: 0.01 }];
 * ```
 */
export type Normalisation =
  | NormalisationName
  | {
      [Name in NormalisationName]: { readonly method: Name } & NonNullable<
        Parameters<(typeof NORMALISATIONS)[Name]>[1]
      >;
    }[NormalisationName];

/**
 * Applies a normalisation that is given as data.
 *
 * @throws GranuleError `INVALID_ARGUMENT` for an unknown name or option, and whatever the normalisation throws
 */
export function normalise(list: RankedList, normalisation: Normalisation): RankedList {
  const options = typeof normalisation === 'string' ? { method: normalisation } : normalisation;
  if (!Object.hasOwn(NORMALISATIONS, options?.method)) {
    const names = Object.keys(NORMALISATIONS).join(', ');
    throw new GranuleError(
      'INVALID_ARGUMENT',
      `normalisation must be one of ${names}, or an object with one as method, got ${show(options?.method)}`,
    );
  }
  // The name was looked up, the function checks its own options.
  const apply = NORMALISATIONS[options.method] as (list: RankedList, options: object) => RankedList;
  return apply(list, options);
}

function none(list: RankedList, options: NormalisationOptions = {}): RankedList {
  checkNormalisation(list, options);
  return list;
}
