import type { MetadataFilter } from '../corpus/filter/metadata-filter.js';
import type { Passage } from '../corpus/records.js';
import type { Hits } from '../index/hits.js';
import type { Matrix } from '../vectors/matrix.js';

/** How to search a store. */
export interface StoreSearchOptions {
  /** Places per query; a store that may find fewer rows gives fewer. */
  readonly k: number;
  /** Only rows with such metadata. */
  readonly filter?: MetadataFilter | undefined;
  /** Asks for probabilities: the softmax of score / temperature over the hits of a query. */
  readonly temperature?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Passages that are searched by their vectors: in memory (`MemoryPassageStore`), or a snapshot of a corpus. */
export interface PassageStore {
  readonly counts: {
    /** Passages that can be found. */
    readonly searchablePassages: number;
  };
  /**
   * The k passages with the highest inner product for each query; exact.
   *
   * @param vectors - queries x dimension
   */
  searchPassages(vectors: Matrix, options: StoreSearchOptions): Promise<Hits>;
  /** The passages that can be found, with such metadata if a filter is given: row r is bit r & 7 of byte r >> 3. */
  findablePassages(filter?: MetadataFilter): Promise<Uint8Array>;
  /** The vectors of passages by their rows, in that order. */
  passageVectors(rows: readonly number[], signal?: AbortSignal): Promise<Matrix>;
  /** Passages by their rows, in that order. */
  passages(rows: readonly number[]): Promise<readonly Passage[]>;
}
