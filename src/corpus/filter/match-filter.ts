import type { Metadata } from '../records.js';
import type { FieldPath, FilterScalar, ParsedFilter } from './metadata-filter.js';

/**
 * Whether `metadata` fulfils `filter`; metadata that is absent is an empty object.
 *
 * What SQL finds for the same filter is this, value for value: numbers are compared as float64, strings by Unicode code
 * point, and nothing is converted.
 */
export function matchesFilter(filter: ParsedFilter, metadata: Metadata | undefined): boolean {
  switch (filter.operator) {
    case 'and':
      return filter.filters.every((inner) => matchesFilter(inner, metadata));
    case 'or':
      return filter.filters.some((inner) => matchesFilter(inner, metadata));
    case 'not':
      return !matchesFilter(filter.filter, metadata);
    case 'exists':
      return fieldOf(metadata, filter.path) !== undefined;
    case 'in': {
      const field = fieldOf(metadata, filter.path);
      const equals = (value: unknown) => filter.values.includes(value as FilterScalar);
      return Array.isArray(field) ? field.some(equals) : equals(field);
    }
    default: {
      const order = compare(fieldOf(metadata, filter.path), filter.value);
      if (order === undefined) return false;
      if (filter.operator === 'gt') return order > 0;
      if (filter.operator === 'gte') return order >= 0;
      return filter.operator === 'lt' ? order < 0 : order <= 0;
    }
  }
}

/** An entity's metadata overlaid by its document's: of a top-level key that both have, the document's value counts. */
export function effectiveMetadata(entity: Metadata | undefined, document: Metadata | undefined): Metadata {
  return { ...entity, ...document };
}

function fieldOf(metadata: Metadata | undefined, path: FieldPath): unknown {
  let value: unknown = metadata;
  for (const key of path) {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
    if (!Object.hasOwn(value, key)) return undefined;
    value = (value as Metadata)[key];
  }
  return value;
}

/** Below 0, 0 or above 0; undefined for values that have no order. */
function compare(a: unknown, b: number | string): number | undefined {
  if (typeof a === 'number' && typeof b === 'number') return a < b ? -1 : a > b ? 1 : 0;
  if (typeof a === 'string' && typeof b === 'string') return compareByCodePoint(a, b);
  return undefined;
}

/** JavaScript's own `<` compares UTF-16 units, which puts U+1F600 before U+FFFD. */
function compareByCodePoint(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; ) {
    const x = a.codePointAt(i)!;
    const y = b.codePointAt(i)!;
    if (x !== y) return x - y;
    i += x > 0xffff ? 2 : 1;
  }
  return a.length - b.length;
}
