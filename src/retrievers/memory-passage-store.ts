import type { MetadataFilter } from '../corpus/filter/metadata-filter.js';
import type { Metadata, Passage } from '../corpus/records.js';
import { GranuleError } from '../errors.js';
import type { FlatIndex } from '../index/flat-index.js';
import type { Hits } from '../index/hits.js';
import type { Matrix } from '../vectors/matrix.js';
import { allowedRows, itemAt } from './memory-rows.js';
import type { PassageStore, StoreSearchOptions } from './passage-store.js';

/** What a {@link MemoryPassageStore} is made of. */
export interface MemoryPassages {
  /** Row r is the vector of `passages[r]`. */
  readonly index: FlatIndex;
  readonly passages: readonly Passage[];
  /** What filters look at, one entry per passage; none by default, and nothing passes most filters then. */
  readonly metadata?: readonly (Metadata | undefined)[];
}

/** Passages in memory. */
export class MemoryPassageStore implements PassageStore, Disposable {
  readonly counts: { readonly searchablePassages: number };
  readonly #source: MemoryPassages;

  /** @throws GranuleError `LENGTH_MISMATCH` */
  constructor(source: MemoryPassages) {
    const { index, passages, metadata } = source;
    if (index.rows !== passages.length) {
      throw new GranuleError('LENGTH_MISMATCH', `${index.rows} vectors for ${passages.length} passages`, {
        rows: index.rows,
        passages: passages.length,
      });
    }
    if (metadata !== undefined && metadata.length !== passages.length) {
      throw new GranuleError(
        'LENGTH_MISMATCH',
        `${metadata.length} metadata for ${passages.length} passages`,
        {
          metadata: metadata.length,
          passages: passages.length,
        },
      );
    }
    this.#source = source;
    this.counts = { searchablePassages: passages.length };
  }

  /** @throws GranuleError `METADATA_FILTER_INVALID`, and as `FlatIndex.search` */
  async searchPassages(vectors: Matrix, options: StoreSearchOptions): Promise<Hits> {
    const { index, passages, metadata } = this.#source;
    const { k, filter, temperature, signal } = options;
    return index.search(vectors, {
      k: Math.min(k, passages.length),
      filter: filter && allowedRows(filter, passages.length, (row) => metadata?.[row]),
      temperature,
      signal,
    });
  }

  /** @throws GranuleError `METADATA_FILTER_INVALID` */
  async findablePassages(filter: MetadataFilter = {}): Promise<Uint8Array> {
    const { passages, metadata } = this.#source;
    return allowedRows(filter, passages.length, (row) => metadata?.[row]);
  }

  /** @throws GranuleError `ROW_NOT_FOUND`, and as `FlatIndex.read` */
  passageVectors(rows: readonly number[], signal?: AbortSignal): Promise<Matrix> {
    return this.#source.index.read(Uint32Array.from(rows), { signal });
  }

  /** @throws GranuleError `ROW_NOT_FOUND` */
  async passages(rows: readonly number[]): Promise<Passage[]> {
    return rows.map((row) => itemAt(this.#source.passages, row));
  }

  /** Frees the index. */
  dispose(): void {
    this.#source.index.dispose();
  }

  /** As `dispose`, for `using`. */
  [Symbol.dispose](): void {
    this.dispose();
  }
}
