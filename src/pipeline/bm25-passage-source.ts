import type { MetadataFilter } from '../corpus/filter/metadata-filter.js';
import { GranuleError } from '../errors.js';
import { rowFilter } from '../index/row-filter.js';
import { type RankedList, rankedLists } from '../ranking/ranked-list.js';
import type { PassageStore } from '../retrievers/passage-store.js';
import { Bm25Index, type Bm25IndexOptions } from '../text/bm25-index.js';
import { type PipelineQuery, type SourceSearchOptions, type SparseSource, textOf } from './sources.js';

/** How BM25 reads and weighs passages. */
export type Bm25SourceOptions = Pick<Bm25IndexOptions, 'analyzer' | 'k1' | 'b' | 'idf' | 'threads'>;

/** Passages by BM25, and which row of the store each row of the index is. */
interface Built {
  readonly index: Bm25Index;
  /** Ascending, so that equal scores keep their order. */
  readonly rows: Uint32Array;
}

const TEXTS_PER_ADD = 1000;

/** BM25 over the passages of a store, indexed when a search first needs them. Statistics are those of all passages, with or without a filter. */
export class Bm25PassageSource implements SparseSource {
  readonly level = 'passage';
  readonly #store: PassageStore;
  readonly #options: Bm25SourceOptions;
  #built: Promise<Built> | undefined;
  #disposed = false;

  constructor(store: PassageStore, options: Bm25SourceOptions = {}) {
    this.#store = store;
    this.#options = options;
  }

  /**
   * @throws GranuleError `INVALID_ARGUMENT` for a query without a text, `METADATA_FILTER_INVALID`, `ABORTED`, `INDEX_DISPOSED`; what the
   * store throws
   */
  async search(query: PipelineQuery, { k, filter, signal }: SourceSearchOptions): Promise<RankedList> {
    const text = textOf(query);
    const { index, rows } = await unlessAborted(this.#index(), signal);
    if (rows.length === 0) return { rows, scores: new Float64Array() };
    const hits = await index.search([text], {
      k: Math.min(k, rows.length),
      filter: filter && (await this.#allowed(rows, filter)),
      signal,
    });
    const { rows: found, scores } = rankedLists(hits)[0]!;
    return { rows: found.map((row) => rows[row]!), scores };
  }

  /** Frees the index; searches are refused from now on. */
  dispose(): void {
    this.#disposed = true;
    this.#built?.then(
      ({ index }) => index.dispose(),
      () => undefined,
    );
  }

  /** One for all searches, whichever of them is aborted. One that failed is begun again by the next search. */
  #index(): Promise<Built> {
    if (this.#disposed) throw new GranuleError('INDEX_DISPOSED', 'the sources of passages were disposed');
    if (this.#built === undefined) {
      const built = this.#build();
      this.#built = built;
      built.catch(() => {
        if (this.#built === built) this.#built = undefined;
      });
    }
    return this.#built;
  }

  async #build(): Promise<Built> {
    const rows = rowsOf(await this.#store.findablePassages());
    const index = new Bm25Index(this.#options);
    try {
      for (let first = 0; first < rows.length && !this.#disposed; first += TEXTS_PER_ADD) {
        const passages = await this.#store.passages([...rows.subarray(first, first + TEXTS_PER_ADD)]);
        await index.add(passages.map(({ text }) => text));
      }
      return { index, rows };
    } catch (error) {
      index.dispose();
      throw error;
    }
  }

  /** The rows of the index whose passages a filter allows. */
  async #allowed(rows: Uint32Array, filter: MetadataFilter): Promise<Uint8Array> {
    const bits = await this.#store.findablePassages(filter);
    const allowed: number[] = [];
    for (const [i, row] of rows.entries()) if (isSet(bits, row)) allowed.push(i);
    return rowFilter(rows.length, allowed);
  }
}

function rowsOf(bits: Uint8Array): Uint32Array {
  const rows: number[] = [];
  for (let row = 0; row < bits.length * 8; row++) if (isSet(bits, row)) rows.push(row);
  return Uint32Array.from(rows);
}

function isSet(bits: Uint8Array, row: number): boolean {
  return ((bits[row >>> 3] ?? 0) & (1 << (row & 7))) !== 0;
}

/** What a promise gives, or the refusal as soon as the signal says so; the work goes on for others. */
function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return promise;
  return new Promise((resolve, reject) => {
    const abort = () => {
      reject(new GranuleError('ABORTED', 'the search was aborted', {}, { cause: signal.reason }));
    };
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}
