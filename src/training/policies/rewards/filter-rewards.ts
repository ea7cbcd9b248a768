import { GranuleError } from '../../../errors.js';
import { checkWhole } from '../../../evaluation/option-checks.js';
import type { FilterAction } from './reward.js';

/**
 * Format: 1 where at least `least` and at most `most` candidates are kept, else 0.
 *
 * @param least - default 1: the set that is kept is not empty
 * @param most - any number by default
 * @throws GranuleError `INVALID_ARGUMENT` for bounds that are no whole numbers, or the wrong way round
 */
export function keptCountReward(
  least = 1,
  most = Number.MAX_SAFE_INTEGER,
): (action: Pick<FilterAction, 'kept'>) => number {
  checkWhole(least, 0, Number.MAX_SAFE_INTEGER, 'least');
  checkWhole(most, least, Number.MAX_SAFE_INTEGER, 'most');
  return ({ kept }) => {
    const count = kept.filter(Boolean).length;
    return count >= least && count <= most ? 1 : 0;
  };
}

/**
 * Accuracy: the share of candidates that were decided rightly: kept where their relevance is above 0, dropped where it is not. For
 * a question with one candidate it is 1 or 0.
 *
 * @throws GranuleError `INVALID_ARGUMENT` for a question without relevance
 */
export function decisionAccuracyReward({ kept, question }: FilterAction): number {
  const { relevance, id } = question;
  if (relevance === undefined) {
    throw new GranuleError('INVALID_ARGUMENT', `question ${id} has no relevance to reward decisions by`, {
      id,
    });
  }
  return kept.filter((keep, i) => keep === relevance[i]! > 0).length / kept.length;
}
