import { GranuleError } from '../errors.js';
import { abortable } from '../native/abortable.js';
import type { NativeSparseIndex } from '../native/addon-types.js';
import { loadAddon } from '../native/load-addon.js';
import {
  checkFilter,
  checkK,
  checkKeys,
  checkPlaces,
  checkSignal,
  checkSoftmax,
  checkStillThere,
  checkUint32,
} from './arguments.js';
import type { Hits } from './hits.js';
import { openIndex } from './open-index.js';
import { checkSparseMatrix, type SparseMatrix } from './sparse-matrix.js';
import {
  checkRowLengths,
  checkSaturation,
  checkSparseOptions,
  type SparseAddOptions,
  type SparseIndexOptions,
  type SparseOpenOptions,
  type SparseSearchOptions,
} from './sparse-options.js';
import { StoredRows } from './stored-rows.js';

/**
 * An exact inverted index: the best rows of few terms out of very many, for BM25 and for learned sparse vectors.
 *
 * **Score** of a query q and a row d:
 *
 *     s(q, d) = sum over the terms t of both, ascending, of q_t * f(w_t)
 *
 * f(w) = w, or, with `saturation`, f(w) = w / (w + (base + slope * length of d)). Products and sums are float64, and the sum is
 * rounded once to float32. Only rows that share a term with the query can be hits, so there may be fewer than k.
 *
 * **Order.** Score descending, then row ascending; the same bits on every instruction set, number of threads and size of
 * batch, and however the rows were divided among adds.
 *
 * **How.** The postings of a term lie in blocks of 64 rows, each with a bound of its values. The bounds of a query's terms
 * add up to one of each block's scores; blocks are scored from the highest bound down, until no bound reaches the k-th
 * best score. Time grows with the postings of the blocks that are scored, and 64 times less with all others.
 *
 * All work runs on threads of the engine. Arrays that are passed in are read where they lie: leave them as they are, and
 * do not transfer them, until the promise settles.
 *
 * @example
 * ```ts
 * const index = new SparseIndex();
 * await index.add({
 *   lengths: Uint32Array.of(2, 1),
 *   terms: Uint32Array.of(3, 8, 8),
 *   values: Float32Array.of(1, 0.5, 2),
 * });
 * const query = { lengths: Uint32Array.of(1), terms: Uint32Array.of(8), values: Float32Array.of(1) };
 * const hits = await index.search(query, { k: 2 });
 * hits.rows; // Uint32Array [1, 0]
 * ```
 */
export class SparseIndex extends StoredRows<NativeSparseIndex> {
  /** Whether rows have lengths, and values above 0, so that searches may saturate the values. */
  readonly saturating: boolean;

  /** @throws GranuleError `INVALID_ARGUMENT`, `ADDON_NOT_FOUND`, `ISA_UNSUPPORTED` */
  constructor(options: SparseIndexOptions = {}) {
    const native = checkSparseOptions(options);
    super({ kind: 'sparse', saturating: native.saturating }, new (loadAddon().SparseIndex)(native));
    this.saturating = native.saturating;
  }

  /**
   * Opens the index that `save` wrote to a folder. Every byte is compared with a checksum, and every number checked. Any
   * number of processes may open one folder.
   *
   * @throws GranuleError `FILE_NOT_FOUND` where there is no index; `INDEX_CORRUPT` naming the file (`details.file`) and what is wrong
   * with it; `INDEX_VERSION_UNSUPPORTED`; `INVALID_ARGUMENT`, also for a folder of an index of vectors; `OUT_OF_MEMORY`, `ABORTED`
   */
  static open(folder: string, options: SparseOpenOptions = {}): Promise<SparseIndex> {
    return openIndex('sparse', folder, options, ({ saturating }) => {
      const index = new SparseIndex({ saturating, threads: options.threads });
      return { index, handle: index.handle };
    });
  }

  /** Rows that were removed since the last compaction; 0 once disposed. */
  get removed(): number {
    return this.handle.removed;
  }

  /** Entries of all rows, removed ones included until `compact`; 0 once disposed. */
  get postings(): number {
    return this.handle.ask((native) => native.postings, 0);
  }

  /** Sum of the rows' lengths in float64 and in row order, removed ones included until `compact`; 0 once disposed. */
  get totalLength(): number {
    return this.handle.ask((native) => native.totalLength, 0);
  }

  /**
   * Rows that hold each term, removed ones included until `compact`. Takes about a microsecond per term, on the calling thread.
   *
   * @param terms - in any order, with repeats
   * @throws GranuleError `INVALID_ARGUMENT`, `INDEX_DISPOSED`
   */
  documentFrequencies(terms: Uint32Array): Uint32Array {
    return this.handle.native.documentFrequencies(checkUint32(terms, 'terms'));
  }

  /**
   * Appends rows. Adds run one after the other in the order of the calls; one that fails adds nothing, and the next
   * goes on. A search sees the rows of the adds that have settled, and perhaps of one that is about to.
   *
   * @param rows - finite values, above 0 where the index is saturating; no rows at all is allowed and adds nothing
   * @returns the number of the first row
   * @throws GranuleError `INVALID_ARGUMENT`, also for terms that do not ascend; `LENGTH_MISMATCH`, `NOT_FINITE` (`details.row` and
   * `.column`, the term), `INDEX_FULL`, `OUT_OF_MEMORY`, `ABORTED`, `INDEX_DISPOSED`
   */
  async add(rows: SparseMatrix, options: SparseAddOptions = {}): Promise<number> {
    checkKeys(options, ['lengths', 'signal']);
    const signal = checkSignal(options.signal);
    const own = checkSparseMatrix(rows, 'rows');
    const rowCount = own.lengths.length;
    const entries = own.terms.length;
    const lengths = checkRowLengths(options.lengths, rowCount, this.saturating);
    return this.handle.change(signal, async (native, cancel) => {
      checkStillThere(own.lengths, rowCount, 'rows.lengths');
      checkStillThere(own.terms, entries, 'rows.terms');
      checkStillThere(own.values, entries, 'rows.values');
      if (lengths !== undefined) checkStillThere(lengths, rowCount, 'lengths');
      return native.add(own, lengths, cancel);
    });
  }

  /**
   * The k best rows of each query, fewer where fewer share a term with it.
   *
   * @param queries - one or more rows of finite weights; those of no term, and terms that no row holds, are allowed
   * @throws GranuleError `EMPTY_INDEX`, `INVALID_ARGUMENT`, `LENGTH_MISMATCH`, `K_OUT_OF_RANGE`, `TEMPERATURE_INVALID`,
   * `FILTER_INVALID`, `NOT_FINITE`, `OUT_OF_MEMORY`, `ABORTED` (with the signal's reason as `cause`), `INDEX_DISPOSED`
   */
  async search(queries: SparseMatrix, options: SparseSearchOptions): Promise<Hits> {
    const { native, rows } = this.handle;
    checkKeys(options, ['k', 'temperature', 'filter', 'saturation', 'signal']);
    const k = checkK(options.k, rows);
    const own = checkSparseMatrix(queries, 'queries');
    const queryCount = own.lengths.length;
    if (queryCount === 0) throw new GranuleError('LENGTH_MISMATCH', 'queries must hold at least one row');
    const { temperature } = checkSoftmax(options.temperature, false);
    const filter = checkFilter(options.filter, rows);
    const saturation = checkSaturation(options.saturation, this.saturating);
    checkPlaces(queryCount, k);
    const hits = await abortable(checkSignal(options.signal), (cancel) =>
      native.search(own, { k, temperature, filter, saturation, cancel }),
    );
    return {
      queries: queryCount,
      k,
      rows: hits.rows,
      scores: hits.scores,
      counts: hits.counts,
      ...(hits.probabilities && { probabilities: hits.probabilities }),
      certificate: { thresholds: hits.thresholds, rowsScanned: rows, rowsRescored: hits.rowsRescored },
    };
  }
}
