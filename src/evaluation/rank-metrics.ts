import { GranuleError } from '../errors.js';
import { precisionAtRank } from './measures/precision.js';
import { reciprocalRankWithin } from './measures/reciprocal-rank.js';
import { successAtRank } from './measures/success.js';

/**
 * Reciprocal rank: 1 / rank of the first relevant place among the first k, 0 where there is none. Its mean over
 * questions is MRR@k.
 *
 * @param relevant - whether each place of a ranked list is relevant, best first
 * @throws GranuleError `K_OUT_OF_RANGE`
 */
export function reciprocalRankAt(relevant: readonly boolean[], k: number): number {
  checkK(k);
  return reciprocalRankWithin(ranksOf(relevant), k);
}

/**
 * Precision at k: relevant places among the first k, divided by k even where fewer were returned.
 *
 * @throws GranuleError `K_OUT_OF_RANGE`
 */
export function precisionAt(relevant: readonly boolean[], k: number): number {
  checkK(k);
  return precisionAtRank(ranksOf(relevant), k);
}

/**
 * Hit at k: 1 where one of the first k places is relevant, else 0.
 *
 * @throws GranuleError `K_OUT_OF_RANGE`
 */
export function hitAt(relevant: readonly boolean[], k: number): number {
  checkK(k);
  return successAtRank(ranksOf(relevant), k);
}

function ranksOf(relevant: readonly boolean[]): { readonly relevantRanks: Uint32Array } {
  return { relevantRanks: Uint32Array.from(relevant.flatMap((is, i) => (is ? [i + 1] : []))) };
}

function checkK(k: number): void {
  if (!Number.isSafeInteger(k) || k < 1) {
    throw new GranuleError('K_OUT_OF_RANGE', `k must be a positive integer, got ${k}`, { k });
  }
}
