/**
 * Rows that are items of arrays.
 *
 * @module
 */
import { matchesFilter } from '../corpus/filter/match-filter.js';
import type { MetadataFilter } from '../corpus/filter/metadata-filter.js';
import { parseFilter } from '../corpus/filter/parse-filter.js';
import type { Metadata } from '../corpus/records.js';
import { GranuleError } from '../errors.js';
import { rowFilter } from '../index/row-filter.js';

/** Bitset of the rows whose metadata fulfils a filter. */
export function allowedRows(
  filter: MetadataFilter,
  rows: number,
  metadataOf: (row: number) => Metadata | undefined,
): Uint8Array {
  const parsed = parseFilter(filter);
  const allowed = Array.from({ length: rows }, (_, row) => row).filter((row) =>
    matchesFilter(parsed, metadataOf(row)),
  );
  return rowFilter(rows, allowed);
}

/** @throws GranuleError `ROW_NOT_FOUND` */
export function itemAt<T>(items: readonly T[], row: number): T {
  const item = items[row];
  if (item !== undefined) return item;
  throw new GranuleError('ROW_NOT_FOUND', `row ${row} is not one of the ${items.length} rows`, { row });
}
