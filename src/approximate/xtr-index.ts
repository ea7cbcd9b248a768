import { GranuleError } from '../errors.js';
import { documentVectors } from '../granularity/pooling/document-vectors.js';
import { checkK, checkKeys, checkQueries, checkSignal, type IndexOptions } from '../index/arguments.js';
import { FlatIndex } from '../index/flat-index.js';
import type { Hits } from '../index/hits.js';
import { float32AtLeast, referenceNorm } from '../index/pooled-bounds.js';
import { firstPlaces, rankedList } from '../ranking/ranked-list.js';
import { type Matrix, matrix, matrixRow, type RaggedMatrix } from '../vectors/matrix.js';
import type { ApproximateList } from './approximate-list.js';
import { EventLoopTurns } from './event-loop-turns.js';
import { checkWholeNumber } from './option-checks.js';

/** Options of `XtrIndex.build`. */
export interface XtrOptions extends Pick<IndexOptions, 'threads' | 'device' | 'codes'> {
  /** `ip`, the default, or `cosine`. */
  readonly metric?: 'ip' | 'cosine' | undefined;
  /** Stops the work. */
  readonly signal?: AbortSignal | undefined;
}

/** Options of `XtrIndex.search`. */
export interface XtrSearchOptions {
  /** Places, 1 to the number of documents. */
  readonly k: number;
  /** Document vectors to retrieve per query vector; 1,000 by default, at most all. */
  readonly tokens?: number | undefined;
  /** Stops the search. */
  readonly signal?: AbortSignal | undefined;
}

/** Documents by the score of XTR, with what is certain of their MaxSim. */
export interface XtrList extends ApproximateList {
  /** Per place, MaxSim as `MultiVectorIndex` gives it is at least this ... */
  readonly lower: Float32Array;
  /** ... and at most this. */
  readonly upper: Float32Array;
  /** Whether these are certainly the documents that the exact search for as many finds, in some order. */
  readonly certified: boolean;
}

/**
 * Late interaction over retrieved vectors alone: per query vector the `tokens` most similar vectors of all documents, by
 * `FlatIndex`, exactly; and for every document of which one was retrieved
 *
 *     S = 1/n sum over i of (max over its vectors retrieved for q_i of <q_i, x>, or m_i where there are none)
 *
 * with m_i the similarity of the last vector retrieved for q_i. Documents of which none was retrieved are missed.
 *
 * Retrieval is exact, so a maximum that was found is that of MaxSim, and one that was not is at most m_i and at least
 * -|q_i| max |x|: so each document's MaxSim lies between `lower` and `upper`, and `upper` is n S. Where the least `lower` of the
 * list is above the upper bounds of all other documents, seen or not, the list is `certified`.
 *
 * Rethinking the Role of Token Retrieval in Multi-Vector Retrieval (2023); the bounds are ours.
 *
 * @example
 * ```ts
 * const index = await XtrIndex.build({ data, lengths, columns: 128 });
 * const found = await index.search(queryVectors, { k: 10, tokens: 4000 });
 * found.certified; // true where no other document can be among the 10 best
 * ```
 */
export class XtrIndex implements Disposable {
  readonly dimension: number;
  readonly metric: 'ip' | 'cosine';
  /** Number of documents. */
  readonly rows: number;
  readonly #tokens: FlatIndex;
  /** Per vector its document. */
  readonly #documentOf: Uint32Array;
  /** At least the norm of every vector. */
  readonly #greatestNorm: number;

  /** @internal */
  constructor(tokens: FlatIndex, metric: 'ip' | 'cosine', lengths: Uint32Array, greatestNorm: number) {
    this.dimension = tokens.dimension;
    this.metric = metric;
    this.rows = lengths.length;
    this.#tokens = tokens;
    this.#documentOf = new Uint32Array(tokens.rows);
    let at = 0;
    for (const [document, length] of lengths.entries()) {
      this.#documentOf.fill(document, at, at + length);
      at += length;
    }
    this.#greatestNorm = greatestNorm;
  }

  /**
   * Indexes the vectors of documents one by one. O(vectors d).
   *
   * @param documents - at least one, each of at least one vector of finite values
   * @throws GranuleError `EMPTY_INDEX`, `INVALID_ARGUMENT`, `DIMENSION_INVALID`, `LENGTH_MISMATCH`, `EMPTY_DOCUMENT`, `NOT_FINITE`,
   * `INDEX_FULL`, `OUT_OF_MEMORY`, `DEVICE_UNAVAILABLE`, `ABORTED`
   */
  static async build(documents: RaggedMatrix, options: XtrOptions = {}): Promise<XtrIndex> {
    checkKeys(options, ['metric', 'threads', 'device', 'codes', 'signal']);
    const { metric = 'ip', threads, device, codes, signal } = options;
    if (metric !== 'ip' && metric !== 'cosine') {
      throw new GranuleError('INVALID_ARGUMENT', `metric must be ip or cosine, got ${metric}`);
    }
    const dimension = documents.columns;
    const { vectors, lengths } = documentVectors(documents.data, documents.lengths, { dimension });
    if (lengths.length === 0) throw new GranuleError('EMPTY_INDEX', 'there are no documents to index');
    const tokens = new FlatIndex({ dimension, metric, threads, device, codes });
    try {
      await tokens.add(vectors, { signal: checkSignal(signal) });
      return new XtrIndex(tokens, metric, lengths, greatestNorm(vectors));
    } catch (error) {
      tokens.dispose();
      throw error;
    }
  }

  /** Bytes of memory held outside of the JavaScript heap; 0 once disposed. */
  get bytes(): number {
    return this.#tokens.bytes;
  }

  /**
   * The k best documents by S, of those of which a vector was retrieved: fewer where there are fewer. O(n tokens) beside the
   * search for vectors.
   *
   * @param queryVectors - the n vectors of one query, finite values
   * @throws GranuleError `INVALID_ARGUMENT`, `LENGTH_MISMATCH`, `K_OUT_OF_RANGE`, `NOT_FINITE`, `OUT_OF_MEMORY`, `ABORTED`,
   * `INDEX_DISPOSED`
   */
  async search(queryVectors: Float32Array | Matrix, options: XtrSearchOptions): Promise<XtrList> {
    checkKeys(options, ['k', 'tokens', 'signal']);
    const k = checkK(options.k, this.rows);
    const tokens = checkWholeNumber(options.tokens ?? 1000, 1, 'tokens');
    const signal = checkSignal(options.signal);
    const data = checkQueries(queryVectors, this.dimension, 'queryVectors');
    const places = Math.min(tokens, this.#documentOf.length);
    const hits = await this.#tokens.search(data, { k: places, signal });

    const maxima = await this.#maximaOf(hits, new EventLoopTurns(signal));
    const imputed = Float32Array.from({ length: hits.queries }, (_, i) => hits.scores[(i + 1) * places - 1]!);
    const least = this.#leastSimilarities(matrix(data, this.dimension));
    const sums = new Map([...maxima].map(([document, found]) => [document, sumOf(found, imputed)]));
    const documents = [...sums.keys()];
    const ranked = rankedList(
      documents,
      documents.map((document) => sums.get(document)! / hits.queries),
    );
    const first = firstPlaces(ranked, k);
    const lower = Float32Array.from(first.rows, (row) => sumOf(maxima.get(row)!, least));
    const unseen = documents.length < this.rows ? sumOf(imputed, imputed) : Number.NEGATIVE_INFINITY;
    const others = ranked.rows.subarray(k).reduce((most, row) => Math.max(most, sums.get(row)!), unseen);
    return {
      ...first,
      approximate: true,
      rowsScored: documents.length,
      lower,
      upper: Float32Array.from(first.rows, (row) => sums.get(row)!),
      certified: lower.every((bound) => bound > Math.fround(others)),
    };
  }

  /** Per document of which a vector was retrieved, its maximum for each query vector; NaN where none was retrieved for it. */
  async #maximaOf(
    { queries, k, rows, scores }: Hits,
    turns: EventLoopTurns,
  ): Promise<Map<number, Float32Array>> {
    const maxima = new Map<number, Float32Array>();
    for (let query = 0; query < queries; query++) {
      if (turns.over) await turns.pass();
      for (let place = query * k; place < (query + 1) * k; place++) {
        const document = this.#documentOf[rows[place]!]!;
        let found = maxima.get(document);
        if (found === undefined) {
          found = new Float32Array(queries).fill(Number.NaN);
          maxima.set(document, found);
        }
        // Places are in the order of their scores: the first is the maximum.
        if (Number.isNaN(found[query]!)) found[query] = scores[place]!;
      }
    }
    return maxima;
  }

  /** Per query vector, what no similarity is below: -|q| max |x|, away from zero by more than all roundings. */
  #leastSimilarities(query: Matrix): Float32Array {
    if (this.metric === 'cosine') return new Float32Array(query.rows).fill(-(1 + 2 ** -20));
    return Float32Array.from(
      { length: query.rows },
      (_, i) => -float32AtLeast(referenceNorm(matrixRow(query, i)) * this.#greatestNorm * (1 + 2 ** -20)),
    );
  }

  /** Frees the memory now. */
  dispose(): void {
    this.#tokens.dispose();
  }

  /** As `dispose`, for `using`. */
  [Symbol.dispose](): void {
    this.dispose();
  }
}

/** The sum of maxima, in the order in which MaxSim adds them, with others for those that are missing. */
function sumOf(maxima: Float32Array, instead: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < maxima.length; i++) sum += Number.isNaN(maxima[i]!) ? instead[i]! : maxima[i]!;
  return sum;
}

function greatestNorm(vectors: Matrix): number {
  let greatest = 0;
  for (let row = 0; row < vectors.rows; row++) {
    greatest = Math.max(greatest, referenceNorm(matrixRow(vectors, row)));
  }
  return greatest;
}
