import { GranuleError } from '../errors.js';
import { checkKeys, show } from '../index/arguments.js';
import type { RankedList } from '../ranking/ranked-list.js';
import { checkLists } from './fusion-arguments.js';
import { defaultMinimum } from './normalisation/default-minimum.js';
import { type Normalisation, normalise } from './normalisation/normalisations.js';

/** What every method that adds scores lets choose. */
export interface ScoreFusionOptions {
  /** The name in `FUSION_METHODS` under which the method was called; not read. */
  readonly method?: string | undefined;
  /** How each list is brought to a common scale: one for all lists, or an array of one per list. */
  readonly normalisation?: Normalisation | readonly Normalisation[] | undefined;
  /**
   * What a row counts in a list that lacks it: `zero`, or the list's own `minimum` for this query, which it gets before the
   * normalisation (`defaultMinimum`). Zero is the mean after `zmuv`, so there a missing row beats half of those found.
   */
  readonly missing?: 'zero' | 'minimum' | undefined;
}

/**
 * The lists on their common scale.
 *
 * @throws GranuleError `INVALID_ARGUMENT`, `LENGTH_MISMATCH`, and whatever the normalisation throws
 */
export function normalisedLists(
  lists: readonly RankedList[],
  options: ScoreFusionOptions,
  defaults: { readonly normalisation: Normalisation; readonly missing: 'zero' | 'minimum' },
): readonly RankedList[] {
  checkLists(lists);
  checkKeys(options, ['method', 'normalisation', 'missing', 'weights']);
  const { normalisation = defaults.normalisation, missing = defaults.missing } = options;
  if (missing !== 'zero' && missing !== 'minimum') {
    throw new GranuleError('INVALID_ARGUMENT', `missing must be zero or minimum, got ${show(missing)}`);
  }
  const each = isPerList(normalisation) ? normalisation : lists.map(() => normalisation);
  if (each.length !== lists.length) {
    throw new GranuleError('LENGTH_MISMATCH', `${lists.length} lists have ${each.length} normalisations`, {
      lists: lists.length,
      normalisations: each.length,
    });
  }
  const complete = missing === 'minimum' ? defaultMinimum(lists) : lists;
  return complete.map((list, index) => normalise(list, each[index]!));
}

function isPerList(
  normalisation: Normalisation | readonly Normalisation[],
): normalisation is readonly Normalisation[] {
  return Array.isArray(normalisation);
}
