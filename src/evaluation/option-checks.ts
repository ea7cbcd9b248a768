import { GranuleError } from '../errors.js';

/**
 * Fills in defaults.
 *
 * @throws GranuleError `INVALID_ARGUMENT` for an option that `defaults` has not
 */
export function withDefaults<Options extends object>(
  options: Partial<Options>,
  defaults: Options,
  name: string,
): Options {
  const unknown = Object.keys(options).find((option) => !Object.hasOwn(defaults, option));
  if (unknown !== undefined) {
    throw new GranuleError('INVALID_ARGUMENT', `${name} has no option ${unknown}`, { option: unknown });
  }
  return { ...defaults, ...options };
}

/** @throws GranuleError `INVALID_ARGUMENT` */
export function checkWhole(value: number, least: number, most: number, name: string): void {
  if (!Number.isSafeInteger(value) || value < least || value > most) {
    throw new GranuleError(
      'INVALID_ARGUMENT',
      `${name} must be a whole number from ${least} to ${most}, got ${value}`,
    );
  }
}

/** @throws GranuleError `INVALID_ARGUMENT` for a number that does not lie between 0 and 1, both excluded */
export function checkShare(value: number, name: string): void {
  if (!(value > 0 && value < 1)) {
    throw new GranuleError('INVALID_ARGUMENT', `${name} must lie between 0 and 1, got ${value}`);
  }
}
