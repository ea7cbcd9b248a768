import { GranuleError } from '../../errors.js';
import { checkK, checkKeys, checkQueries, checkSignal, type IndexOptions } from '../../index/arguments.js';
import { FlatIndex } from '../../index/flat-index.js';
import type { MultiVectorIndex } from '../../index/multi-vector-index.js';
import { rankedLists } from '../../ranking/ranked-list.js';
import { type Matrix, matrix } from '../../vectors/matrix.js';
import type { ApproximateList } from '../approximate-list.js';
import { EventLoopTurns } from '../event-loop-turns.js';
import { checkFinite, normaliseRows } from '../k-means.js';
import { checkWholeNumber } from '../option-checks.js';
import {
  FixedDimensionalEncoder,
  type FixedDimensionalEncodingOptions,
} from './fixed-dimensional-encoder.js';

/** Documents that are read, and encodings that are added, at a time. */
const DOCUMENTS_PER_READ = 256;

/** Options of `MuveraIndex.over`. */
export interface MuveraOptions
  extends Omit<FixedDimensionalEncodingOptions, 'dimension'>,
    Pick<IndexOptions, 'dtype' | 'threads' | 'device' | 'codes'> {
  /** Stops the work. */
  readonly signal?: AbortSignal | undefined;
}

/** Options of `MuveraIndex.search`. */
export interface MuveraSearchOptions {
  /** Places, 1 to the number of documents. */
  readonly k: number;
  /** Documents that MaxSim scores, at least k; max(200, 10 k) by default. With all of them the result is exact. */
  readonly candidates?: number | undefined;
  /** Stops the search. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Approximate late interaction: fixed-dimensional encodings of the documents in a `FlatIndex` choose candidates by one inner
 * product per document, and the `MultiVectorIndex` scores those by MaxSim. Scores are exact; documents that are no candidates
 * are missed.
 *
 * It knows the documents that the index held when it was made: make it anew after adding or compacting. Documents that were removed
 * since take places among the candidates, and are not found. The encoding of a document takes 5 bytes per number of
 * `FixedDimensionalEncoder.length`, which is 51 KiB by default: more than the vectors themselves of a short document.
 *
 * MUVERA: Multi-Vector Retrieval via Fixed Dimensional Encodings (2024).
 *
 * @example
 * ```ts
 * const candidates = await MuveraIndex.over(pages);
 * const found = await candidates.search(queryVectors, { k: 10, candidates: 400 });
 * found.approximate; // true
 * ```
 */
export class MuveraIndex implements Disposable {
  readonly encoder: FixedDimensionalEncoder;
  /** Number of encoded documents. */
  readonly rows: number;
  readonly #documents: MultiVectorIndex;
  readonly #encodings: FlatIndex;

  /** @internal */
  constructor(documents: MultiVectorIndex, encodings: FlatIndex, encoder: FixedDimensionalEncoder) {
    this.#documents = documents;
    this.#encodings = encodings;
    this.encoder = encoder;
    this.rows = encodings.rows;
  }

  /**
   * Encodes the documents of an index, on the calling thread, which other work shares. The index stays the caller's.
   *
   * @param documents - at least one document; its metric must be `ip` or `cosine`
   * @throws GranuleError `EMPTY_INDEX`, `INVALID_ARGUMENT`, `DIMENSION_INVALID`, `INDEX_CORRUPT`, `OUT_OF_MEMORY`, `DEVICE_UNAVAILABLE`,
   * `ABORTED`, `INDEX_DISPOSED`
   */
  static async over(documents: MultiVectorIndex, options: MuveraOptions = {}): Promise<MuveraIndex> {
    const { dtype, threads, device, codes, signal: asked, ...encoding } = options;
    const signal = checkSignal(asked);
    if (documents.metric === 'l2') {
      throw new GranuleError('INVALID_ARGUMENT', 'encodings approximate inner products; the metric is l2');
    }
    const { rows } = documents;
    if (rows === 0) throw new GranuleError('EMPTY_INDEX', 'the index holds no documents yet');
    const encoder = new FixedDimensionalEncoder({ ...encoding, dimension: documents.dimension });
    const encodings = new FlatIndex({ dimension: encoder.length, dtype, threads, device, codes });
    try {
      const turns = new EventLoopTurns(signal);
      for (let first = 0; first < rows; first += DOCUMENTS_PER_READ) {
        const count = Math.min(DOCUMENTS_PER_READ, rows - first);
        const numbers = Uint32Array.from({ length: count }, (_, i) => first + i);
        const { data, lengths, columns } = await documents.read(numbers, { signal });
        const encoded = new Float32Array(count * encoder.length);
        let at = 0;
        for (const [place, length] of lengths.entries()) {
          if (turns.over) await turns.pass();
          const vectors = data.subarray(at * columns, (at + length) * columns);
          encoded.set(encoder.encodeDocument(vectors), place * encoder.length);
          at += length;
        }
        await encodings.add(encoded, { signal });
      }
      return new MuveraIndex(documents, encodings, encoder);
    } catch (error) {
      encodings.dispose();
      throw error;
    }
  }

  /** Bytes of memory that the encodings hold outside of the JavaScript heap; 0 once disposed. */
  get bytes(): number {
    return this.#encodings.bytes;
  }

  /**
   * The k best documents among the candidates.
   *
   * @param queryVectors - the vectors of one query, finite values
   * @throws GranuleError `INVALID_ARGUMENT`, `LENGTH_MISMATCH`, `K_OUT_OF_RANGE`, `NOT_FINITE`, `CANDIDATES_INVALID` where the index was
   * compacted since, `INDEX_CORRUPT`, `OUT_OF_MEMORY`, `ABORTED`, `INDEX_DISPOSED`
   */
  async search(queryVectors: Float32Array | Matrix, options: MuveraSearchOptions): Promise<ApproximateList> {
    checkKeys(options, ['k', 'candidates', 'signal']);
    const k = checkK(options.k, this.rows);
    const wanted = checkWholeNumber(options.candidates ?? Math.max(200, 10 * k), k, 'candidates');
    const signal = checkSignal(options.signal);
    const queries = checkQueries(queryVectors, this.encoder.dimension, 'queryVectors');
    const { data } = checkFinite(matrix(queries, this.encoder.dimension));
    const encoding = this.encoder.encodeQuery(this.#asCompared(data));
    const { rows: candidates } = await this.#encodings.search(encoding, {
      k: Math.min(wanted, this.rows),
      signal,
    });
    const hits = await this.#documents.search(data, { k, candidates, signal });
    const [list] = rankedLists(hits);
    return { ...list!, approximate: true, rowsScored: candidates.length };
  }

  /** The query's vectors as the index's metric compares them: for cosine, a long one counts no more than a short one. */
  #asCompared(data: Float32Array): Matrix {
    if (this.#documents.metric === 'ip') return matrix(data, this.encoder.dimension);
    const own = matrix(data.slice(), this.encoder.dimension);
    normaliseRows(own);
    return own;
  }

  /** Frees the encodings now; the index stays. */
  dispose(): void {
    this.#encodings.dispose();
  }

  /** As `dispose`, for `using`. */
  [Symbol.dispose](): void {
    this.dispose();
  }
}
