import { GranuleError } from '../errors.js';
import { show } from '../index/arguments.js';
import type { RankedList } from '../ranking/ranked-list.js';

/**
 * How far the best stands out: its score minus that of the first place after `places`, or of the last where there is none; 0 for an empty
 * list. Where the margin is small the first places are little better than the rest, and feedback from them is likely to drift. O(1).
 *
 * @param places - a positive integer: those that feedback is taken from
 * @throws GranuleError `INVALID_ARGUMENT`
 */
export function scoreMargin({ scores }: RankedList, places: number): number {
  if (!Number.isSafeInteger(places) || places < 1) {
    throw new GranuleError('INVALID_ARGUMENT', `places must be a positive integer, got ${show(places)}`);
  }
  if (scores.length === 0) return 0;
  const next = scores[Math.min(places, scores.length - 1)]!;
  return scores[0] === next ? 0 : scores[0]! - next;
}
