import type { Metadata, Passage } from '../corpus/records.js';
import { GranuleError } from '../errors.js';
import { checkTemperature } from '../index/arguments.js';
import { Bm25Index, type Bm25IndexOptions } from '../text/bm25-index.js';
import { allowedRows, itemAt } from './memory-rows.js';
import type { PassageHit, PassageRetriever, RetrieveOptions, Timings } from './retriever.js';

/** What a {@link SparsePassageRetriever} is made of. */
export interface SparsePassageRetrieverParts {
  /** Row r is the text of `passages[r]`. */
  readonly index: Bm25Index;
  readonly passages: readonly Passage[];
  /** What filters look at, one entry per passage; none by default, and nothing passes most filters then. */
  readonly metadata?: readonly (Metadata | undefined)[] | undefined;
  /** Temperature of the softmax over the hits of a list; 1 by default, since scores of BM25 differ by whole units. */
  readonly temperature?: number | undefined;
}

/** Exact search for passages by the words that they share with a text: BM25, see `Bm25Index`. */
export class SparsePassageRetriever implements PassageRetriever, Disposable {
  readonly #index: Bm25Index;
  readonly #passages: readonly Passage[];
  readonly #metadata: readonly (Metadata | undefined)[] | undefined;
  readonly #temperature: number;
  #own: Disposable | undefined;

  /** @throws GranuleError `LENGTH_MISMATCH`, `TEMPERATURE_INVALID` */
  constructor({ index, passages, metadata, temperature = 1 }: SparsePassageRetrieverParts) {
    for (const [name, length] of Object.entries({ rows: index.rows, metadata: metadata?.length })) {
      if (length === undefined || length === passages.length) continue;
      throw new GranuleError('LENGTH_MISMATCH', `${length} ${name} for ${passages.length} passages`, {
        [name]: length,
        passages: passages.length,
      });
    }
    this.#index = index;
    this.#passages = passages;
    this.#metadata = metadata;
    this.#temperature = checkTemperature(temperature);
  }

  /**
   * Makes a retriever with passages in memory, indexed by their texts.
   *
   * @param options - `bm25`: parameters and analyzer, as for a `Bm25Index`
   * @throws GranuleError as the constructor, `Bm25Index` and its `add` do
   */
  static async build(options: {
    readonly passages: readonly Passage[];
    readonly metadata?: readonly (Metadata | undefined)[] | undefined;
    readonly bm25?: Bm25IndexOptions | undefined;
    readonly temperature?: number | undefined;
    readonly signal?: AbortSignal | undefined;
  }): Promise<SparsePassageRetriever> {
    const { passages, metadata, temperature, signal } = options;
    const index = new Bm25Index(options.bm25);
    try {
      await index.add(
        passages.map(({ text }) => text),
        { signal },
      );
      const retriever = new SparsePassageRetriever({ index, passages, metadata, temperature });
      retriever.#own = index;
      return retriever;
    } catch (error) {
      index.dispose();
      throw error;
    }
  }

  /**
   * Passages that share a term with a text, so fewer than k, or none, where fewer do.
   *
   * @param timings - `searchPassages` is added
   * @throws GranuleError `K_OUT_OF_RANGE`, `EMPTY_INDEX`, `METADATA_FILTER_INVALID`, `ABORTED`
   */
  async retrieve(
    texts: readonly string[],
    { k, filter, signal }: RetrieveOptions,
    timings: Timings = {},
  ): Promise<PassageHit[][]> {
    if (!Number.isSafeInteger(k) || k < 1) {
      throw new GranuleError('K_OUT_OF_RANGE', `k must be a positive integer, got ${k}`, { k });
    }
    const rows = this.#passages.length;
    if (rows === 0) throw new GranuleError('EMPTY_INDEX', 'there are no passages to search');
    if (texts.length === 0) return [];
    const start = performance.now();
    const hits = await this.#index.search(texts, {
      k: Math.min(k, rows),
      filter: filter && allowedRows(filter, rows, (row) => this.#metadata?.[row]),
      temperature: this.#temperature,
      signal,
    });
    timings['searchPassages'] = (timings['searchPassages'] ?? 0) + performance.now() - start;
    return texts.map((_, query) =>
      Array.from({ length: hits.counts[query]! }, (_, place) => {
        const at = query * hits.k + place;
        return {
          item: itemAt(this.#passages, hits.rows[at]!),
          score: hits.scores[at]!,
          probability: hits.probabilities![at]!,
        };
      }),
    );
  }

  /** Frees what `build` made; an index that was passed to the constructor stays its owner's. */
  dispose(): void {
    this.#own?.[Symbol.dispose]();
  }

  /** As `dispose`, for `using`. */
  [Symbol.dispose](): void {
    this.dispose();
  }
}
