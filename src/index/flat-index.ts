import { abortable } from '../native/abortable.js';
import type { NativeFlatIndex } from '../native/addon-types.js';
import { backendOf, type Device } from '../native/device.js';
import { loadAddon } from '../native/load-addon.js';
import { type Matrix, matrix } from '../vectors/matrix.js';
import {
  checkBiases,
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
import type { Hits } from './hits.js';
import { type OpenOptions, openIndex } from './open-index.js';
import { type ReadOptions, StoredIndex } from './stored-index.js';
import type { ChangeOptions } from './stored-rows.js';

/** Options of `FlatIndex.search`. */
export interface FlatSearchOptions {
  /** Places per query, 1 to the number of rows. */
  readonly k: number;
  /**
   * Asks for probabilities: exp(s_i / t) / sum_j exp(s_j / t) over the k hits. Finite, above 0. Unit vectors need a t
   * near 0.01; with t = 1 the distribution is flat.
   */
  readonly temperature?: number | undefined;
  /**
   * Asks for `logSumExp` and `massShare`: ln sum_j exp(s_j / t) over all rows, or all that `filter` allows, at the `temperature`
   * t, which must be given; and the share of that sum that the k hits hold. Every row that can
   * add to the sum, those up to 43 t below the best, is scored in full for it: a low temperature is fast, a high one takes as long as a scan
   * of the vectors. Off by default.
   */
  readonly logSumExp?: boolean | undefined;
  /** Allowed rows, one bit each: row r is bit r & 7 of byte r >> 3; ceil(rows / 8) bytes. See `rowFilter`. */
  readonly filter?: Uint8Array | undefined;
  /** Stops the scan; the promise then rejects with `ABORTED`. */
  readonly signal?: AbortSignal | undefined;
  /**
   * Where this search runs; the index's device by default. Every device can search every index, and gives the same bits: after
   * an error of a device, `cpu` still answers.
   */
  readonly device?: Device | undefined;
}

/** Options of `add`. */
export interface AddOptions extends ChangeOptions {
  /**
   * What is added to each row's score before it is rounded, in float64: a log-prior, a correction of hubness. Finite, one
   * per row; 0 by default.
   */
  readonly biases?: Float32Array | undefined;
}

/**
 * Exact nearest neighbours of vectors, one per row, by a scan.
 *
 * **Score.** <q, x> below is the inner product of the float32 vectors accumulated in float64 over eight lanes: lane l
 * adds the products of elements l, l + 8, l + 16, ... in order, and the lanes are added as
 * ((0+1)+(2+3)) + ((4+5)+(6+7)). The score is rounded once to float32; beyond its range it is Infinity or -Infinity.
 *
 * - `ip`: <q, x>
 * - `cosine`: <q', x'>, where x' is x / sqrt(<x, x>) in float64, rounded to float32; rows are normalised when added and
 *   queries when searched. A zero vector stays zero and scores 0.
 * - `l2`: -(|q - x|^2), evaluated in float64 as (2 <q, x> - <x, x>) - <q, q>; 0 for equal vectors.
 *
 * A row's bias, if it was given one, is added before the rounding.
 *
 * **Order.** Score descending, then row ascending. Scores, rows and order are the same bits for every instruction set,
 * device, number of threads and size of batch.
 *
 * **How.** The scan reads int8 codes, which bound every row's score from both sides; the k-th largest lower bound is the
 * threshold, and only rows whose upper bound reaches it are scored as above. `hits.certificate` reports it.
 *
 * All work runs on threads of the engine. Arrays that are passed in are read where they lie: leave them as they are, and
 * do not transfer them, until the promise settles.
 *
 * @example
 * ```ts
 * const index = new FlatIndex({ dimension: 3 });
 * await index.add(new Float32Array([1, 0, 0, 0, 1, 0]));
 * const hits = await index.search(new Float32Array([0.6, 0.8, 0]), { k: 2 });
 * hits.rows; // Uint32Array [1, 0]
 * ```
 */
export class FlatIndex extends StoredIndex<NativeFlatIndex> {
  /** @throws GranuleError `DIMENSION_INVALID`, `INVALID_ARGUMENT`, `DEVICE_UNAVAILABLE`, `ADDON_NOT_FOUND`, `ISA_UNSUPPORTED` */
  constructor(options: IndexOptions) {
    super('flat', options, (native) => new (loadAddon().FlatIndex)(native));
  }

  /**
   * Opens the index that `save` wrote to a folder; dimension, metric, dtype and codes are those it was made with. Every
   * byte is compared with a checksum, with `mmap` when it is first used. Any number of processes may open one folder.
   *
   * @throws GranuleError `FILE_NOT_FOUND` where there is no index; `INDEX_CORRUPT` naming the file (`details.file`) and what is wrong
   * with it; `INDEX_VERSION_UNSUPPORTED`; `INVALID_ARGUMENT`, also for a folder of `MultiVectorIndex`; `DEVICE_UNAVAILABLE`,
   * `OUT_OF_MEMORY`, `ABORTED`
   */
  static open(folder: string, options: OpenOptions = {}): Promise<FlatIndex> {
    return openIndex('flat', folder, options, ({ dimension, metric, dtype, codes }) => {
      const { threads, device } = options;
      const index = new FlatIndex({ dimension, metric, dtype, codes, threads, device });
      return { index, handle: index.handle };
    });
  }

  /**
   * Appends rows. Adds run one after the other in the order of the calls; one that fails adds nothing, and the next
   * goes on. A search sees the rows of the adds that have settled, and perhaps of one that is about to.
   *
   * @param vectors - rows x dimension finite values; no rows at all is allowed and adds nothing
   * @returns the number of the first row
   * @throws GranuleError `INVALID_ARGUMENT`, `LENGTH_MISMATCH`, `NOT_FINITE` (`details.row` and `.column` in `vectors`),
   * `INDEX_FULL`, `OUT_OF_MEMORY`, `ABORTED`, `INDEX_DISPOSED`
   */
  async add(vectors: Float32Array | Matrix, options: AddOptions = {}): Promise<number> {
    checkKeys(options, ['biases', 'signal']);
    const signal = checkSignal(options.signal);
    const data = checkVectors(vectors, this.dimension, 'vectors');
    const { length } = data;
    const biases = checkBiases(options.biases, length / this.dimension);
    return this.handle.change(signal, async (native, cancel) => {
      checkStillThere(data, length, 'vectors');
      if (biases !== undefined) checkStillThere(biases, length / this.dimension, 'biases');
      if (length === 0) return native.rows;
      return native.add(data, length / this.dimension, biases, cancel);
    });
  }

  /**
   * The k best rows of each query.
   *
   * @param queries - one or more rows of dimension finite values
   * @throws GranuleError `EMPTY_INDEX`, `INVALID_ARGUMENT`, `LENGTH_MISMATCH`, `K_OUT_OF_RANGE`, `TEMPERATURE_INVALID`,
   * `FILTER_INVALID`, `NOT_FINITE`, `DEVICE_UNAVAILABLE`, `INDEX_CORRUPT`, `OUT_OF_MEMORY`, `ABORTED` (with the signal's reason as `cause`), `INDEX_DISPOSED`
   */
  async search(queries: Float32Array | Matrix, options: FlatSearchOptions): Promise<Hits> {
    const { native, rows } = this.handle;
    checkKeys(options, ['k', 'temperature', 'logSumExp', 'filter', 'signal', 'device']);
    const k = checkK(options.k, rows);
    const data = checkQueries(queries, this.dimension, 'queries');
    const softmax = checkSoftmax(options.temperature, options.logSumExp);
    const filter = checkFilter(options.filter, rows);
    const queryCount = data.length / this.dimension;
    checkPlaces(queryCount, k);
    const backend = options.device === undefined ? undefined : backendOf(options.device);
    const rowsScanned = rows;
    const hits = await abortable(checkSignal(options.signal), (cancel) =>
      native.search(data, queryCount, { k, ...softmax, filter, cancel, backend }),
    );
    return {
      queries: queryCount,
      k,
      rows: hits.rows,
      scores: hits.scores,
      counts: hits.counts,
      ...(hits.probabilities && { probabilities: hits.probabilities }),
      ...(hits.logSumExp && { logSumExp: hits.logSumExp }),
      ...(hits.massShare && { massShare: hits.massShare }),
      certificate: { thresholds: hits.thresholds, rowsScanned, rowsRescored: hits.rowsRescored },
    };
  }

  /**
   * The vectors of rows as they are stored: normalised where the metric is cosine, and rounded to the index's dtype, whose
   * values float32 holds exactly. Rows that were removed can be read until `compact`.
   *
   * @param rows - numbers below `rows`, in any order, with repeats
   * @returns rows.length x dimension; row i is the vector of `rows[i]`
   * @throws GranuleError `INVALID_ARGUMENT`, `ROW_NOT_FOUND` (`details.row`), `INDEX_CORRUPT`, `ABORTED`, `INDEX_DISPOSED`,
   * `OUT_OF_MEMORY`, also for more than 2^28 numbers in one call
   */
  async read(rows: Uint32Array, options: ReadOptions = {}): Promise<Matrix> {
    const { native } = this.handle;
    checkKeys(options, ['signal']);
    // Copied, for the addon sizes its memory by them: they must not change under its hands.
    const own = checkUint32(rows, 'rows').slice();
    const data = await abortable(checkSignal(options.signal), (cancel) => native.read(own, cancel));
    return matrix(data, this.dimension);
  }
}
