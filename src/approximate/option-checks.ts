import { GranuleError } from '../errors.js';
import { show } from '../index/arguments.js';

/** @throws GranuleError `INVALID_ARGUMENT` */
export function checkWholeNumber(value: number, least: number, name: string, most = 0xffff_ffff): number {
  if (!Number.isSafeInteger(value) || value < least || value > most) {
    throw new GranuleError(
      'INVALID_ARGUMENT',
      `${name} must be a whole number from ${least} to ${most}, got ${show(value)}`,
    );
  }
  return value;
}

/** @throws GranuleError `INVALID_ARGUMENT` */
export function checkSeed(seed: number): number {
  return checkWholeNumber(seed, 0, 'seed');
}
