import type { Metadata, Passage } from '../corpus/records.js';
import type { PassageRecord } from '../corpus/snapshot/stored-records.js';
import type { TextEncoder } from '../encoders/encoder.js';
import { GranuleError } from '../errors.js';
import { FlatIndex } from '../index/flat-index.js';
import type { Hits } from '../index/hits.js';
import { topKSoftmax } from '../index/top-k-softmax.js';
import type { Matrix } from '../vectors/matrix.js';
import { type BestOfGroup, bestGroups } from './best-groups.js';
import { checkK } from './check-k.js';
import { MemoryPassageStore } from './memory-passage-store.js';
import type { PassageStore } from './passage-store.js';
import type {
  PassageGroup,
  PassageGroupHit,
  PassageHit,
  PassageRetriever,
  RetrieveOptions,
  Timings,
} from './retriever.js';

/**
 * Softmax temperature of passage scores: the one, of .005 to .15, that answers most training questions of the demo right
 * where the country is given. It is far above the .01 of learned encoders, since n-gram scores tell the right subject
 * well, but tell little about which of its passages holds the answer; that is left to the reader.
 */
export const PASSAGE_TEMPERATURE = 0.1;

/** What a {@link DensePassageRetriever} is made of. */
export interface DensePassageRetrieverParts {
  readonly encoder: TextEncoder;
  /** Its vectors are the encoder's. */
  readonly store: PassageStore;
  /** Temperature of the softmax over the hits of a list; default {@link PASSAGE_TEMPERATURE}. */
  readonly temperature?: number | undefined;
}

/** Exact search for passages by inner product of text vectors: score = <query, passage>. */
export class DensePassageRetriever implements PassageRetriever, Disposable {
  readonly #encoder: TextEncoder;
  readonly #store: PassageStore;
  readonly #temperature: number;
  #own: Disposable | undefined;

  /** @throws GranuleError `TEMPERATURE_INVALID` */
  constructor({ encoder, store, temperature = PASSAGE_TEMPERATURE }: DensePassageRetrieverParts) {
    if (!(Number.isFinite(temperature) && temperature > 0)) {
      throw new GranuleError(
        'TEMPERATURE_INVALID',
        `temperature must be finite and above 0, got ${temperature}`,
        {
          temperature,
        },
      );
    }
    this.#encoder = encoder;
    this.#store = store;
    this.#temperature = temperature;
  }

  /**
   * Makes a retriever with passages in memory.
   *
   * @param options - `vectors`: the passages' vectors where they are known; they are encoded otherwise. `metadata`: what
   *   filters look at, one entry per passage
   * @throws GranuleError as the constructor, `FlatIndex.add` and the encoder do; `LENGTH_MISMATCH`
   */
  static async build(options: {
    readonly encoder: TextEncoder;
    readonly passages: readonly Passage[];
    readonly metadata?: readonly (Metadata | undefined)[];
    readonly vectors?: Matrix;
    readonly temperature?: number;
    readonly signal?: AbortSignal;
  }): Promise<DensePassageRetriever> {
    const { encoder, passages, metadata, signal, temperature } = options;
    const abort = signal === undefined ? {} : { signal };
    const texts = passages.map(({ text }) => text);
    const vectors = options.vectors ?? (await encoder.encodePassages(texts, abort)).vectors;
    const index = new FlatIndex({ dimension: encoder.dimension });
    await index.add(vectors, abort);
    const store = new MemoryPassageStore({ index, passages, ...(metadata && { metadata }) });
    const retriever = new DensePassageRetriever({ encoder, store, temperature });
    retriever.#own = store;
    return retriever;
  }

  /**
   * @param timings - `encodeText` and `searchPassages` are added
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
    if (this.#store.counts.searchablePassages === 0) {
      throw new GranuleError('EMPTY_INDEX', 'there are no passages to search');
    }
    if (texts.length === 0) return [];
    const start = performance.now();
    const { vectors } = await this.#encoder.encodeQueries(texts, signal && { signal });
    const encoded = performance.now();
    const hits = await this.#store.searchPassages(vectors, {
      k,
      filter,
      temperature: this.#temperature,
      signal,
    });
    const found = await this.#passagesOf(hits);
    addTimes(timings, { start, encoded });
    return texts.map((_, query) =>
      Array.from({ length: hits.counts[query]! }, (_, place) => {
        const at = query * hits.k + place;
        return {
          item: found.get(hits.rows[at]!)!,
          score: hits.scores[at]!,
          probability: hits.probabilities![at]!,
        };
      }),
    );
  }

  /**
   * The k documents or entities whose best passage has the highest score; exact, however many passages of one come first.
   * Of equal scores the one whose passage has the lower row comes first, and is the passage that is named. Passages without
   * a document count for no document. Probabilities are the softmax of score / temperature over the hits.
   *
   * @param timings - `encodeText` and `searchPassages` are added
   * @throws GranuleError as `retrieve`
   */
  async retrieveGroups(
    text: string,
    group: PassageGroup,
    options: RetrieveOptions,
    timings: Timings = {},
  ): Promise<PassageGroupHit[]> {
    const { k, filter, signal } = options;
    checkK(k);
    const start = performance.now();
    const { vectors } = await this.#encoder.encodeQueries([text], signal && { signal });
    const encoded = performance.now();
    const best = await bestGroups({
      k,
      all: this.#store.counts.searchablePassages,
      search: async (places) => {
        const { rows, scores, counts } = await this.#store.searchPassages(vectors, {
          k: places,
          filter,
          signal,
        });
        return { rows: rows.subarray(0, counts[0]), scores: scores.subarray(0, counts[0]) };
      },
      groupsOf: async (rows) => (await this.#store.passages(rows)).map(groupId[group]),
      signal,
    });
    const hits = best.length === 0 ? [] : await this.#groupHits(best);
    addTimes(timings, { start, encoded });
    return hits;
  }

  /** @param best - at least one, best first */
  async #groupHits(best: readonly BestOfGroup[]): Promise<PassageGroupHit[]> {
    const passages = await this.#store.passages(best.map(({ row }) => row));
    const { probabilities } = await topKSoftmax(
      Float32Array.from(best, ({ score }) => score),
      { k: best.length, temperature: this.#temperature },
    );
    return best.map(({ group, score }, place) => ({
      item: group,
      score,
      probability: probabilities[place]!,
      passage: passages[place]!,
    }));
  }

  /** The passages of all hits, by their rows. */
  async #passagesOf({ rows, k, counts }: Hits): Promise<Map<number, Passage>> {
    const wanted = new Set<number>();
    for (const [query, count] of counts.entries()) {
      for (const row of rows.subarray(query * k, query * k + count)) wanted.add(row);
    }
    const distinct = [...wanted];
    const passages = await this.#store.passages(distinct);
    return new Map(distinct.map((row, i) => [row, passages[i]!]));
  }

  /** Frees what `build` made; a store that was passed to the constructor stays its owner's. */
  dispose(): void {
    this.#own?.[Symbol.dispose]();
  }

  /** As `dispose`, for `using`. */
  [Symbol.dispose](): void {
    this.dispose();
  }
}

/** The id of what a passage belongs to. */
const groupId: Readonly<Record<PassageGroup, (passage: PassageRecord) => string | undefined>> = {
  document: ({ documentId }) => documentId,
  entity: ({ entityId }) => entityId,
};

function addTimes(timings: Timings, { start, encoded }: Readonly<Record<'start' | 'encoded', number>>): void {
  timings['encodeText'] = (timings['encodeText'] ?? 0) + encoded - start;
  timings['searchPassages'] = (timings['searchPassages'] ?? 0) + performance.now() - encoded;
}
