import type { Connection } from '../database/database-thread.js';
import { filterSql } from '../filter/filter-sql.js';
import type { MetadataFilter } from '../filter/metadata-filter.js';
import { parseFilter } from '../filter/parse-filter.js';

/** Results that are kept: a bit per row each. */
const MOST_RESULTS = 8;

/** The rows that filters allow in one state. A filter is evaluated over all entities, and one question may search many times. */
export class FilterResults {
  readonly #connection: Connection;
  /** The one that was used last stands last. */
  readonly #results = new Map<string, Promise<Uint8Array>>();

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /**
   * Rows of a space that a filter allows, one bit each; the array is not the caller's to change.
   *
   * @param bytes - length of the result
   * @throws GranuleError `METADATA_FILTER_INVALID`
   */
  rows(filter: MetadataFilter, space: 'passages' | 'images', bytes: number): Promise<Uint8Array> {
    const { sql, parameters } = filterSql(parseFilter(filter), space);
    const key = JSON.stringify([sql, parameters]);
    const known = this.#results.get(key);
    const found = known ?? this.#connection.bits(sql, parameters, bytes);
    this.#results.delete(key);
    this.#results.set(key, found);
    if (known === undefined) {
      found.catch(() => this.#results.delete(key));
      if (this.#results.size > MOST_RESULTS) this.#results.delete(this.#results.keys().next().value!);
    }
    return found;
  }
}
