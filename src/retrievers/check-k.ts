import { GranuleError } from '../errors.js';

/** @throws GranuleError `K_OUT_OF_RANGE` unless k is a whole number of at least 1 */
export function checkK(k: number): void {
  if (!Number.isSafeInteger(k) || k < 1) {
    throw new GranuleError('K_OUT_OF_RANGE', `k must be a positive integer, got ${k}`, { k });
  }
}
