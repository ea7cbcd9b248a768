import { GranuleError } from '../errors.js';
import { show } from './arguments.js';

/**
 * A filter that allows the given rows and no others.
 *
 * @param rows - the index's number of rows
 * @param allowed - row numbers below `rows`, in any order, repeats allowed
 * @returns ceil(rows / 8) bytes; row r is bit r & 7 of byte r >> 3
 * @throws GranuleError `FILTER_INVALID`
 */
export function rowFilter(rows: number, allowed: Iterable<number>): Uint8Array {
  if (!Number.isInteger(rows) || rows < 0 || rows > 0xffff_ffff) {
    throw new GranuleError('FILTER_INVALID', `rows must be the index's number of rows, got ${show(rows)}`);
  }
  const filter = new Uint8Array(Math.ceil(rows / 8));
  for (const row of allowed) {
    if (!Number.isInteger(row) || row < 0 || row >= rows) {
      throw new GranuleError('FILTER_INVALID', `row ${show(row)} is not one of the ${rows} rows`);
    }
    filter[row >>> 3]! |= 1 << (row & 7);
  }
  return filter;
}
