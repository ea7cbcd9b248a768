import { GranuleError } from '../errors.js';
import { abortable } from '../native/abortable.js';
import type { NativeMultiVectorIndex } from '../native/addon-types.js';
import { backendOf } from '../native/device.js';
import { loadAddon } from '../native/load-addon.js';
import type { Matrix, RaggedMatrix } from '../vectors/matrix.js';
import {
  checkBiases,
  checkBoolean,
  checkFilter,
  checkK,
  checkKeys,
  checkPlaces,
  checkQueries,
  checkSignal,
  checkSoftmax,
  checkStillThere,
  checkUint32,
  checkVectors,
  type IndexOptions,
} from './arguments.js';
import type { AddOptions, FlatSearchOptions } from './flat-index.js';
import { MultiVectorHits } from './multi-vector-hits.js';
import { type OpenOptions, openIndex } from './open-index.js';
import { type ReadOptions, StoredIndex } from './stored-index.js';

/** Options of `MultiVectorIndex.search`. Rows are documents. */
export interface MultiVectorSearchOptions extends FlatSearchOptions {
  /** Documents to score, in any order; repeats count once. All by default. */
  readonly candidates?: Uint32Array | undefined;
  /** Also return, per hit and query vector, the document vector that matched. Off by default. */
  readonly explain?: boolean | undefined;
  /** Vectors per query: `lengths[i]` consecutive ones make up query i. By default all make up one query. */
  readonly lengths?: Uint32Array | undefined;
}

/**
 * Exact late interaction (MaxSim) over documents of several vectors each: patches of an image, tokens of a passage.
 *
 * **Score** of a query of vectors q_1 ... q_n and a document of vectors x_1 ... x_m:
 *
 *     sum over i of max over j of sim(q_i, x_j)
 *
 * sim is the score of `FlatIndex`, with its metrics, rounded to float32; the first j wins a tie; the maxima are added in
 * the order of i in float64, then the document's bias if it was given one, and the sum is rounded once to float32.
 *
 * **Order.** Score descending, then document ascending; the same bits on every instruction set, device, number of
 * threads and size of batch.
 *
 * All work runs on threads of the engine. Arrays that are passed in are read where they lie: leave them as they are, and
 * do not transfer them, until the promise settles.
 *
 * @example
 * ```ts
 * const pages = new MultiVectorIndex({ dimension: 2 });
 * await pages.add(new Float32Array([1, 0, 0, 1, 0.6, 0.8]), new Uint32Array([2, 1]));
 * const hits = await pages.search(new Float32Array([0, 1]), { k: 1, explain: true });
 * hits.rows[0]; // 0
 * hits.matches(0, 0)?.vectors; // Uint32Array [1]
 * ```
 */
export class MultiVectorIndex extends StoredIndex<NativeMultiVectorIndex> {
  /** @throws GranuleError `DIMENSION_INVALID`, `INVALID_ARGUMENT`, `DEVICE_UNAVAILABLE`, `ADDON_NOT_FOUND`, `ISA_UNSUPPORTED` */
  constructor(options: IndexOptions) {
    super('multi-vector', options, (native) => new (loadAddon().MultiVectorIndex)(native));
  }

  /**
   * Opens the index that `save` wrote to a folder; dimension, metric, dtype and codes are those it was made with. Every
   * byte is compared with a checksum, with `mmap` when it is first used. Any number of processes may open one folder.
   *
   * @throws GranuleError `FILE_NOT_FOUND` where there is no index; `INDEX_CORRUPT` naming the file (`details.file`) and what is wrong
   * with it; `INDEX_VERSION_UNSUPPORTED`; `INVALID_ARGUMENT`, also for a folder of `FlatIndex`; `DEVICE_UNAVAILABLE`,
   * `OUT_OF_MEMORY`, `ABORTED`
   */
  static open(folder: string, options: OpenOptions = {}): Promise<MultiVectorIndex> {
    return openIndex('multi-vector', folder, options, ({ dimension, metric, dtype, codes }) => {
      const { threads, device } = options;
      const index = new MultiVectorIndex({ dimension, metric, dtype, codes, threads, device });
      return { index, handle: index.handle };
    });
  }

  /**
   * Appends documents. Adds run one after the other in the order of the calls; one that fails adds nothing, and the next
   * goes on. A search sees the documents of the adds that have settled, and perhaps of one that is about to.
   *
   * @param vectors - rows x dimension finite values, document after document
   * @param lengths - vectors per document, each at least 1, together all of `vectors`; no document at all is allowed and
   * adds nothing
   * @returns the number of the first document
   * @throws GranuleError `INVALID_ARGUMENT`, `LENGTH_MISMATCH`, `EMPTY_DOCUMENT` (`details.row` in `lengths`),
   * `NOT_FINITE` (`details.row` and `.column` in `vectors`), `INDEX_FULL`, `OUT_OF_MEMORY`, `ABORTED`, `INDEX_DISPOSED`
   */
  async add(vectors: Float32Array | Matrix, lengths: Uint32Array, options: AddOptions = {}): Promise<number> {
    checkKeys(options, ['biases', 'signal']);
    const signal = checkSignal(options.signal);
    const data = checkVectors(vectors, this.dimension, 'vectors');
    // Copied, for the addon sizes its memory by them: they must not change under its hands.
    const ownLengths = checkUint32(lengths, 'lengths').slice();
    const { length } = data;
    const biases = checkBiases(options.biases, ownLengths.length);
    if (ownLengths.length === 0 && length > 0) {
      throw new GranuleError('LENGTH_MISMATCH', 'lengths names no document, but there are vectors', {
        sum: 0,
        vectors: length / this.dimension,
      });
    }
    return this.handle.change(signal, async (native, cancel) => {
      checkStillThere(data, length, 'vectors');
      if (biases !== undefined) checkStillThere(biases, ownLengths.length, 'biases');
      if (ownLengths.length === 0) return native.rows;
      return native.add(data, ownLengths, biases, cancel);
    });
  }

  /**
   * The k best documents of each query.
   *
   * @param queryVectors - one or more rows of dimension finite values
   * @throws GranuleError `EMPTY_INDEX`, `INVALID_ARGUMENT`, `LENGTH_MISMATCH`, `K_OUT_OF_RANGE`, `TEMPERATURE_INVALID`,
   * `FILTER_INVALID`, `CANDIDATES_INVALID`, `NOT_FINITE`, `INDEX_CORRUPT`, `OUT_OF_MEMORY`, `ABORTED` (with the signal's reason as
   * `cause`), `INDEX_DISPOSED`
   */
  async search(
    queryVectors: Float32Array | Matrix,
    options: MultiVectorSearchOptions,
  ): Promise<MultiVectorHits> {
    const { native, rows } = this.handle;
    checkKeys(options, [
      'k',
      'temperature',
      'logSumExp',
      'filter',
      'signal',
      'device',
      'candidates',
      'explain',
      'lengths',
    ]);
    const k = checkK(options.k, rows);
    const data = checkQueries(queryVectors, this.dimension, 'queryVectors');
    const lengths = checkQueryLengths(options.lengths, data.length / this.dimension);
    const softmax = checkSoftmax(options.temperature, options.logSumExp);
    const filter = checkFilter(options.filter, rows);
    const candidates = checkCandidates(options.candidates, rows);
    const explain = checkBoolean(options.explain ?? false, 'explain');
    const backend = options.device === undefined ? undefined : backendOf(options.device);
    checkPlaces(explain ? data.length / this.dimension : lengths.length, k);
    const hits = await abortable(checkSignal(options.signal), (cancel) =>
      native.search(data, lengths, { k, ...softmax, filter, candidates, explain, cancel, backend }),
    );
    return new MultiVectorHits(hits, lengths, k, rows);
  }

  /**
   * The vectors of documents as they are stored: normalised where the metric is cosine, and rounded to the index's dtype,
   * whose values float32 holds exactly. Documents that were removed can be read until `compact`.
   *
   * @param documents - numbers below `rows`, in any order, with repeats
   * @returns item i holds the vectors of `documents[i]`
   * @throws GranuleError `INVALID_ARGUMENT`, `ROW_NOT_FOUND` (`details.row`), `INDEX_CORRUPT`, `ABORTED`, `INDEX_DISPOSED`,
   * `OUT_OF_MEMORY`, also for more than 2^28 numbers in one call
   */
  async read(documents: Uint32Array, options: ReadOptions = {}): Promise<RaggedMatrix> {
    const { native } = this.handle;
    checkKeys(options, ['signal']);
    // Copied, for the addon sizes its memory by them: they must not change under its hands.
    const own = checkUint32(documents, 'documents').slice();
    const lengths = new Uint32Array(own.length);
    const data = await abortable(checkSignal(options.signal), (cancel) => native.read(own, lengths, cancel));
    return { data, lengths, columns: this.dimension };
  }
}

/** @returns a copy: the hits keep it */
function checkQueryLengths(lengths: Uint32Array | undefined, vectors: number): Uint32Array {
  if (lengths === undefined) return Uint32Array.of(vectors);
  const own = checkUint32(lengths, 'lengths').slice();
  let sum = 0;
  for (const [query, length] of own.entries()) {
    if (length === 0) {
      throw new GranuleError('LENGTH_MISMATCH', `query ${query} has no vector`, { query });
    }
    sum += length;
  }
  if (sum !== vectors) {
    throw new GranuleError(
      'LENGTH_MISMATCH',
      `lengths add up to ${sum}, but there are ${vectors} query vectors`,
      {
        sum,
        vectors,
      },
    );
  }
  return own;
}

/** @returns a copy, which cannot change after it was checked */
function checkCandidates(candidates: Uint32Array | undefined, rows: number): Uint32Array | undefined {
  if (candidates === undefined) return undefined;
  const own = checkUint32(candidates, 'candidates').slice();
  if (own.length === 0) {
    throw new GranuleError('CANDIDATES_INVALID', 'candidates must name at least one document');
  }
  for (const [position, document] of own.entries()) {
    if (document >= rows) {
      throw new GranuleError(
        'CANDIDATES_INVALID',
        `candidate ${position} is document ${document}; the index holds ${rows}`,
        { position, document, rows },
      );
    }
  }
  return own;
}
