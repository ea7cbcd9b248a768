import { GranuleError } from '../errors.js';
import type { Metadata } from './records.js';

/** Deepest nesting of metadata, and most values in it; arrays and objects count as one value each. */
const LIMITS = { depth: 32, values: 1_000_000 } as const;

/**
 * A copy of `value` as JSON: an object of strings, finite numbers, booleans, null, arrays and objects. Fields that are
 * undefined are left out.
 *
 * Whatever JSON would alter without a word is refused: other numbers, other kinds of objects, functions.
 *
 * @param at - what messages call the metadata, such as `metadata` or `documents[0].metadata`
 * @throws GranuleError `CORPUS_LINE_INVALID`
 */
export function plainMetadata(value: unknown, at: string): Metadata {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw invalid(at, 'must be an object');
  }
  let values = 0;
  return copy(value, at, 1) as Metadata;

  function copy(node: unknown, place: string, depth: number): unknown {
    values += 1;
    if (values > LIMITS.values) throw invalid(at, `holds more than ${LIMITS.values} values`);
    if (node === null || typeof node === 'string' || typeof node === 'boolean') return node;
    if (typeof node === 'number') {
      if (!Number.isFinite(node)) throw invalid(place, `is ${node}, which JSON cannot hold`);
      return node;
    }
    if (!isPlain(node))
      throw invalid(place, 'is not a string, a number, true, false, null, an array or an object');
    if (depth > LIMITS.depth) throw invalid(at, `is nested more than ${LIMITS.depth} deep`);
    if (Array.isArray(node)) return Array.from(node, (item, i) => copy(item, `${place}[${i}]`, depth + 1));
    // A copy of such metadata by plain assignment would change the copy's prototype.
    if (Object.hasOwn(node, '__proto__')) throw invalid(at, "has the field '__proto__'");
    return Object.fromEntries(
      Object.entries(node)
        .filter(([, child]) => child !== undefined)
        .map(([key, child]) => [key, copy(child, `${place}.${key}`, depth + 1)]),
    );
  }
}

function isPlain(node: unknown): node is object {
  if (Array.isArray(node)) return true;
  if (typeof node !== 'object' || Object.prototype.toString.call(node) !== '[object Object]') return false;
  return typeof (node as { toJSON?: unknown }).toJSON !== 'function';
}

function invalid(at: string, reason: string): GranuleError {
  return new GranuleError('CORPUS_LINE_INVALID', `'${at}' ${reason}`);
}
