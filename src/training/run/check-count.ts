import { GranuleError } from '../../errors.js';
import { show } from '../../index/arguments.js';

/** @throws GranuleError `INVALID_ARGUMENT` for what is no positive integer */
export function checkCount(count: number, name: string): number {
  if (!Number.isSafeInteger(count) || count < 1) {
    throw new GranuleError('INVALID_ARGUMENT', `${name} must be a positive integer, got ${show(count)}`, {
      [name]: String(count),
    });
  }
  return count;
}
