import { GranuleError } from '../errors.js';
import { checkKeys, checkSignal, checkUint32, show } from '../index/arguments.js';
import type { Hits } from '../index/hits.js';
import type { SaveOptions, SaveReport } from '../index/save-index.js';
import { SparseIndex } from '../index/sparse-index.js';
import type { SparseMatrix } from '../index/sparse-matrix.js';
import type { ChangeOptions } from '../index/stored-rows.js';
import { waitUnlessAborted } from '../native/abortable.js';
import { type Analyzer, analyzer as makeAnalyzer } from './analyzer.js';
import { openBm25, type StoredBm25, saveBm25 } from './bm25-folder.js';
import {
  type Bm25Parameters,
  bm25Saturation,
  checkBm25Parameters,
  inverseDocumentFrequency,
  termFrequencies,
} from './bm25-weights.js';
import { EventLoopTurns } from './event-loop-turns.js';
import { SparseRows } from './sparse-rows.js';
import { Vocabulary } from './vocabulary.js';

/** What a {@link Bm25Index} is made from. */
export interface Bm25IndexOptions extends Partial<Bm25Parameters> {
  /** Turns texts and queries into terms; `analyzer()`, which is for English, by default. */
  readonly analyzer?: Analyzer | undefined;
  /** Most threads that one call may use; 0, the default, means one per core. Results do not depend on it. */
  readonly threads?: number | undefined;
}

/** Options of `Bm25Index.search`. */
export interface Bm25SearchOptions {
  /** Places per query, 1 to the number of rows. */
  readonly k: number;
  /** Asks for probabilities: exp(s_i / t) / sum_j exp(s_j / t) over the hits. Finite, above 0. */
  readonly temperature?: number | undefined;
  /** Allowed rows, one bit each; see `rowFilter`. It does not change the statistics. */
  readonly filter?: Uint8Array | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Options of `Bm25Index.open`. */
export interface Bm25OpenOptions {
  /** Needed where the tokenizer is the caller's own; it must be described as that with which the index was made. */
  readonly analyzer?: Analyzer | undefined;
  /** As for a new index. */
  readonly threads?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Texts searched by their words, exactly.
 *
 * **Score** of a query q and a text d, over the distinct terms t of both:
 *
 *     BM25(q, d) = sum_t  qtf_t * idf_t * tf_td / (tf_td + k1 (1 - b + b |d| / avgdl))
 *
 * with qtf and tf the number of times that t comes in q and in d, |d| the number of terms of d with repeats, avgdl its mean over all rows, and
 * idf as in {@link inverseDocumentFrequency}. The factor (k1 + 1), by which some multiply all of it, changes no order and is left out. A
 * term of idf 0 is left out of the query. qtf * idf is rounded to float32, all else is float64 and rounded once at the end; terms are
 * added in the order in which the index first saw them. A text that shares no term with the query is no hit.
 *
 * N, df and avgdl are those at the time of the search. Removed rows count in them until `compact`.
 *
 * S. Robertson, H. Zaragoza, *The Probabilistic Relevance Framework: BM25 and Beyond*, 2009; k1 and b as in P. Yang et al.,
 * *Anserini: Enabling the Use of Lucene for Information Retrieval Research*, 2017.
 *
 * @example
 * ```ts
 * const index = new Bm25Index();
 * await index.add(['a wing in a slipstream', 'heat conduction in slabs']);
 * const hits = await index.search(['wings'], { k: 1 });
 * hits.rows; // Uint32Array [0]
 * ```
 */
export class Bm25Index implements Disposable, AsyncDisposable {
  readonly analyzer: Analyzer;
  readonly parameters: Bm25Parameters;
  #index: SparseIndex;
  #vocabulary = new Vocabulary();
  /** What a folder holds of it, from which it was opened, or to which it was last saved. */
  #stored: StoredBm25 | undefined;
  /** Settles when the last change that was asked for has ended: terms get their numbers in the order of the calls. */
  #changes: Promise<void> = Promise.resolve();

  /** @throws GranuleError `INVALID_ARGUMENT`, `ADDON_NOT_FOUND`, `ISA_UNSUPPORTED` */
  constructor(options: Bm25IndexOptions = {}) {
    checkKeys(options, ['analyzer', 'k1', 'b', 'idf', 'threads']);
    this.parameters = checkBm25Parameters(options);
    this.analyzer = checkAnalyzer(options.analyzer ?? makeAnalyzer());
    this.#index = new SparseIndex({ saturating: true, threads: options.threads });
  }

  /**
   * Opens the index that `save` wrote to a folder, with its analyzer, vocabulary and parameters.
   *
   * @throws GranuleError `ANALYZER_MISMATCH`, `INVALID_ARGUMENT` where the analyzer must be passed and is not, `FILE_NOT_FOUND`,
   * `INDEX_CORRUPT` (`details.file`), `INDEX_VERSION_UNSUPPORTED`, `OUT_OF_MEMORY`, `ABORTED`
   */
  static async open(folder: string, options: Bm25OpenOptions = {}): Promise<Bm25Index> {
    checkKeys(options, ['analyzer', 'threads', 'signal']);
    const { threads, signal } = options;
    if (options.analyzer !== undefined) checkAnalyzer(options.analyzer);
    const opening = { threads, signal: checkSignal(signal) };
    const { stored, analyzer, vocabulary, index } = await openBm25(folder, options.analyzer, opening);
    const opened = new Bm25Index({ ...stored.manifest.parameters, analyzer, threads });
    opened.#index.dispose();
    opened.#index = index;
    opened.#vocabulary = vocabulary;
    opened.#stored = stored;
    return opened;
  }

  /** Rows of the adds that have settled, removed ones included; 0 once disposed. */
  get rows(): number {
    return this.#index.rows;
  }

  /** Rows that were removed since the last compaction; 0 once disposed. */
  get removedRows(): number {
    return this.#index.removed;
  }

  /** Distinct terms of all texts that were ever added. */
  get terms(): number {
    return this.#vocabulary.size;
  }

  /** Mean number of terms of a row, removed ones included until `compact`; 0 without rows. */
  get averageLength(): number {
    return this.rows === 0 ? 0 : this.#index.totalLength / this.rows;
  }

  /** Bytes of memory held outside of the JavaScript heap; the vocabulary lies within it. 0 once disposed. */
  get bytes(): number {
    return this.#index.bytes;
  }

  /**
   * Appends texts, one row each; a text without terms is a row that nothing finds. Adds run one after the other in the order of the
   * calls; one that fails adds nothing. Texts are analysed on the calling thread, which gives the event loop a turn every millisecond.
   *
   * @returns the number of the first row
   * @throws GranuleError `INVALID_ARGUMENT`, `INDEX_FULL`, `OUT_OF_MEMORY`, `ABORTED`, `INDEX_DISPOSED`
   */
  async add(texts: readonly string[], options: ChangeOptions = {}): Promise<number> {
    checkKeys(options, ['signal']);
    const signal = checkSignal(options.signal);
    const own = [...checkTexts(texts)];
    return this.#inTurn(signal, async () => {
      const known = this.#vocabulary.size;
      try {
        const { rows, lengths } = await this.#analyzed(own, signal);
        return await this.#index.add(rows, { lengths, signal });
      } catch (error) {
        // Else the numbers of later terms, and so the order in which scores are added, would depend on what failed.
        this.#vocabulary.truncate(known);
        throw error;
      }
    });
  }

  async #analyzed(
    texts: readonly string[],
    signal: AbortSignal | undefined,
  ): Promise<{ rows: SparseMatrix; lengths: Float32Array }> {
    const rows = new SparseRows();
    const lengths = new Float32Array(texts.length);
    const turns = new EventLoopTurns(signal);
    for (const [row, text] of texts.entries()) {
      if (turns.due) await turns.next();
      const terms = this.analyzer(text);
      lengths[row] = terms.length;
      rows.add(termFrequencies(terms.map((term) => this.#vocabulary.add(term))));
    }
    return { rows: rows.matrix(), lengths };
  }

  /**
   * The k best rows of each query, fewer where fewer share a term with it.
   *
   * @param texts - one or more queries; repeated words count as often as they come
   * @throws GranuleError `EMPTY_INDEX`, `INVALID_ARGUMENT`, `LENGTH_MISMATCH` without queries, `K_OUT_OF_RANGE`, `TEMPERATURE_INVALID`,
   * `FILTER_INVALID`, `OUT_OF_MEMORY`, `ABORTED`, `INDEX_DISPOSED`
   */
  async search(texts: readonly string[], options: Bm25SearchOptions): Promise<Hits> {
    checkKeys(options, ['k', 'temperature', 'filter', 'signal']);
    const queries = this.queryWeights(texts);
    const saturation = bm25Saturation(this.parameters, this.averageLength);
    return this.#index.search(queries, { ...options, saturation });
  }

  /**
   * The queries as sparse rows: qtf * idf of each term that a row holds, by the term's number, rounded to float32.
   *
   * @throws GranuleError `INVALID_ARGUMENT`, `INDEX_DISPOSED`
   */
  queryWeights(texts: readonly string[]): SparseMatrix {
    const queries = new SparseRows();
    for (const text of checkTexts(texts)) {
      const known = this.analyzer(text).map((term) => this.#vocabulary.idOf(term));
      const frequencies = termFrequencies(known.filter((id) => id !== undefined));
      const ids = Uint32Array.from(frequencies.keys());
      const documentFrequencies = this.#index.documentFrequencies(ids);
      const weights = new Map<number, number>();
      for (const [i, id] of ids.entries()) {
        const weight = frequencies.get(id)! * this.#idf(documentFrequencies[i]!);
        if (weight !== 0) weights.set(id, weight);
      }
      queries.add(weights);
    }
    return queries.matrix();
  }

  /** 0 for a term that no row holds. */
  #idf(documentFrequency: number): number {
    if (documentFrequency === 0) return 0;
    // An add that is about to settle may count in the one and not yet in the other.
    const rows = Math.max(this.rows, documentFrequency);
    return inverseDocumentFrequency(rows, documentFrequency, this.parameters.idf);
  }

  /**
   * Takes rows out of all later searches. They keep their numbers, and count in the statistics, until `compact`.
   *
   * @returns how many were there before and are not now
   * @throws GranuleError `INVALID_ARGUMENT`, `ROW_NOT_FOUND`, `ABORTED`, `OUT_OF_MEMORY`, `INDEX_DISPOSED`
   */
  async remove(rows: Uint32Array, options: ChangeOptions = {}): Promise<number> {
    const own = checkUint32(rows, 'rows').slice();
    return this.#inTurn(options.signal, () => this.#index.remove(own, options));
  }

  /**
   * Drops the removed rows, and counts them out of the statistics; the others get new numbers, in their order. Terms keep theirs.
   *
   * @returns the former number of each row
   * @throws GranuleError `ABORTED`, `OUT_OF_MEMORY`, `INDEX_DISPOSED`
   */
  async compact(options: ChangeOptions = {}): Promise<Uint32Array> {
    return this.#inTurn(options.signal, () => this.#index.compact(options));
  }

  /**
   * Writes the index to a folder, with its vocabulary, parameters and the description of its analyzer. To the folder that it was
   * opened from or last saved to, it writes what is new only. A crash at any moment leaves the former state or the new one.
   *
   * @throws GranuleError `INDEX_EXISTS` where the folder holds another index, or this one as somebody else has changed it since,
   * and `overwrite` is not set; `INDEX_LOCKED`, `FILE_NOT_WRITABLE`, `INDEX_CORRUPT`, `INDEX_VERSION_UNSUPPORTED`, `INVALID_ARGUMENT`,
   * `ABORTED`, `OUT_OF_MEMORY`, `INDEX_DISPOSED`
   */
  async save(folder: string, options: SaveOptions = {}): Promise<SaveReport> {
    checkKeys(options, ['overwrite', 'signal']);
    return this.#inTurn(options.signal, () =>
      saveBm25(
        {
          index: this.#index,
          vocabulary: this.#vocabulary,
          parameters: this.parameters,
          analyzer: this.analyzer.description,
          stored: this.#stored,
          keep: (stored) => {
            this.#stored = stored;
          },
        },
        folder,
        options,
      ),
    );
  }

  /** Runs a change when those before it have ended. */
  async #inTurn<T>(signal: AbortSignal | undefined, change: () => Promise<T>): Promise<T> {
    const before = this.#changes;
    const changed = waitUnlessAborted(checkSignal(signal), before).then(change);
    this.#changes = Promise.allSettled([before, changed]).then(() => undefined);
    return changed;
  }

  /** Frees the memory now. Searches under way end as they would have; changes under way or queued reject. */
  dispose(): void {
    this.#index.dispose();
  }

  /** As `dispose`, for `using`. */
  [Symbol.dispose](): void {
    this.dispose();
  }

  /** As `dispose`, for `await using`; also waits until changes under way have stopped. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.dispose();
    await this.#changes;
  }
}

function checkAnalyzer(value: Analyzer): Analyzer {
  if (typeof value === 'function' && typeof value.description === 'object') return value;
  throw new GranuleError('INVALID_ARGUMENT', `analyzer must be made by analyzer(), got ${show(value)}`);
}

function checkTexts(texts: readonly string[]): readonly string[] {
  if (!Array.isArray(texts)) {
    throw new GranuleError('INVALID_ARGUMENT', `texts must be an array, got ${show(texts)}`);
  }
  const wrong = texts.findIndex((text) => typeof text !== 'string');
  if (wrong === -1) return texts;
  throw new GranuleError('INVALID_ARGUMENT', `text ${wrong} must be a string, got ${show(texts[wrong])}`);
}
