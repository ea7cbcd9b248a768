import { GranuleError } from '../errors.js';
import { show } from '../index/arguments.js';

/** @throws GranuleError `INVALID_ARGUMENT` */
export function checkWhole(value: number, least: number, name: string): number {
  if (!Number.isSafeInteger(value) || value < least) {
    throw new GranuleError(
      'INVALID_ARGUMENT',
      `${name} must be a whole number of at least ${least}, got ${show(value)}`,
    );
  }
  return value;
}

/**
 * The entry of a registry.
 *
 * @throws GranuleError `INVALID_ARGUMENT` for a name that it lacks
 */
export function registered<Registry extends object, Name extends keyof Registry & string>(
  registry: Registry,
  name: Name,
  kind: string,
): Registry[Name] {
  if (typeof name !== 'string' || !Object.hasOwn(registry, name)) {
    const known = Object.keys(registry).join(', ');
    throw new GranuleError('INVALID_ARGUMENT', `${kind} must be one of ${known}, got ${show(name)}`);
  }
  return registry[name];
}
