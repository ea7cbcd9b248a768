import moduleUrl from './module-url.cjs';
import type { ThreadSpec } from './thread-spec.js';

/**
 * The spec of an object of one of this package's own classes.
 *
 * @param file - the module, as for `moduleUrl`
 * @returns undefined where a thread would not find the module, as in a bundle
 */
export function ownSpec(file: string, name: string, options: object): ThreadSpec | undefined {
  const module = moduleUrl(file);
  return module === undefined ? undefined : { module, export: name, options: { ...options } };
}
