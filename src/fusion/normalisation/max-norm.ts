import { GranuleError } from '../../errors.js';
import type { RankedList } from '../../ranking/ranked-list.js';
import { checkNormalisation, type NormalisationOptions, rescored } from './finite-scores.js';

/**
 * The best becomes 1: s' = s / max within one list. An empty list stays empty. O(n log n).
 *
 * @throws GranuleError `INVALID_ARGUMENT`, also where the greatest score is not above 0: dividing by it would turn the order
 * round; `NOT_FINITE` for an infinite score
 */
export function maxNorm(list: RankedList, options: NormalisationOptions = {}): RankedList {
  checkNormalisation(list, options);
  const greatest = list.scores[0]!;
  if (greatest <= 0) {
    throw new GranuleError(
      'INVALID_ARGUMENT',
      `the greatest score is ${greatest}; 'max' needs one above 0: use 'min-max' or 'zmuv' for scores that may be negative`,
      { greatest },
    );
  }
  return rescored(list, (score) => score / greatest);
}
