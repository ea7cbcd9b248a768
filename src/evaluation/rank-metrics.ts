import { GranuleError } from '../errors.js';

/**
 * Reciprocal rank: 1 / rank of the first relevant place among the first k, 0 where there is none. Its mean over
 * questions is MRR@k.
 *
 * @param relevant - whether each place of a ranked list is relevant, best first
 * @throws GranuleError `K_OUT_OF_RANGE`
 */
export function reciprocalRankAt(relevant: readonly boolean[], k: number): number {
  checkK(k);
  const place = relevant.slice(0, k).indexOf(true);
  return place === -1 ? 0 : 1 / (place + 1);
}

/**
 * Precision at k: relevant places among the first k, divided by k even where fewer were returned.
 *
 * @throws GranuleError `K_OUT_OF_RANGE`
 */
export function precisionAt(relevant: readonly boolean[], k: number): number {
  checkK(k);
  return relevant.slice(0, k).filter(Boolean).length / k;
}

/**
 * Hit at k: 1 where one of the first k places is relevant, else 0.
 *
 * @throws GranuleError `K_OUT_OF_RANGE`
 */
export function hitAt(relevant: readonly boolean[], k: number): number {
  checkK(k);
  return relevant.slice(0, k).includes(true) ? 1 : 0;
}

function checkK(k: number): void {
  if (!Number.isSafeInteger(k) || k < 1) {
    throw new GranuleError('K_OUT_OF_RANGE', `k must be a positive integer, got ${k}`, { k });
  }
}
