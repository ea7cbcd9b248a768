import { type RankedList, rankedList } from '../ranking/ranked-list.js';
import type { CombinationOptions } from './comb-sum.js';
import { weightShares } from './fusion-arguments.js';
import { normalisedLists } from './score-fusion.js';
import { sumByRow } from './sum-by-row.js';

/** A normalised score up to this one counts as none. */
const PRESENT = 1e-6;

/**
 * CombMNZ: CombSUM times the number of lists in which the normalised score of d exceeds 1e-6. With `min-max` the worst row of each list
 * therefore counts as absent from it. O(places x lists), and the sorting.
 *
 * Source: Fox and Shaw, "Combination of Multiple Searches" (1994); the bound of 1e-6 is that of the released code of "Vote-in-Context"
 * (2025).
 *
 * @param options - `normalisation` `min-max`, `missing` `zero`, equal `weights` by default
 * @throws GranuleError `INVALID_ARGUMENT`, `LENGTH_MISMATCH`, `NOT_FINITE` for an infinite score
 */
export function combMnz(lists: readonly RankedList[], options: CombinationOptions = {}): RankedList {
  const normalised = normalisedLists(lists, options, { normalisation: 'min-max', missing: 'zero' });
  const weights = weightShares(options.weights, lists);
  const score = (list: number, place: number): number => normalised[list]!.scores[place]!;
  const { rows, sums } = sumByRow(normalised, (list, place) => weights[list]! * score(list, place));
  const present = sumByRow(normalised, (list, place) => (score(list, place) > PRESENT ? 1 : 0)).sums;
  return rankedList(
    rows,
    sums.map((sum, i) => sum * present[i]!),
  );
}
