import { GranuleError } from '../../errors.js';
import { documentVectors } from '../../granularity/pooling/document-vectors.js';
import { checkK, checkKeys, checkQueries, checkSignal, checkUint32, show } from '../../index/arguments.js';
import { FlatIndex } from '../../index/flat-index.js';
import { MultiVectorIndex } from '../../index/multi-vector-index.js';
import { rankedList } from '../../ranking/ranked-list.js';
import { SeededRandom } from '../../ranking/seeded-random.js';
import { type Matrix, matrix, type RaggedMatrix } from '../../vectors/matrix.js';
import type { ApproximateList } from '../approximate-list.js';
import { EventLoopTurns } from '../event-loop-turns.js';
import { type InvertedLists, invertLists } from '../inverted-lists.js';
import { assignToNearest, checkFinite, drawRows, kMeans, normaliseRows, rowsOf } from '../k-means.js';
import { checkSeed, checkWholeNumber } from '../option-checks.js';
import {
  bestByCentroids,
  centroidScores,
  type DocumentCentroids,
  keptCentroids,
  plaidReach,
  probedDocuments,
} from './plaid-stages.js';
import {
  checkBits,
  decodeResiduals,
  encodeResiduals,
  type ResidualBits,
  type ResidualCodec,
  type ResidualCodes,
  residualBuckets,
} from './residual-codec.js';

/** Numbers of residuals that the buckets are made from, at most: sorting them takes some 20 ms. */
const BUCKET_NUMBERS = 2 ** 18;

/** Vectors that are coded between two looks at the clock. */
const VECTORS_PER_LOOK = 64;

/** Options of `PlaidIndex.build`. */
export interface PlaidOptions {
  /** Centroids; 2^floor(log2(16 sqrt(vectors))) by default, at most one per vector. */
  readonly centroids?: number | undefined;
  /** Bits per number of a residual: 1, 2 or 4; 2 by default. */
  readonly bits?: ResidualBits | undefined;
  /** Most rounds of k-means; 4 by default. */
  readonly rounds?: number | undefined;
  /** A whole number; 1 by default. */
  readonly seed?: number | undefined;
  /** Most threads; 0, the default, means one per core. Results do not depend on it. */
  readonly threads?: number | undefined;
  /** Stops the work. */
  readonly signal?: AbortSignal | undefined;
}

/** Options of `PlaidIndex.search`; the defaults of the last three depend on k, see `plaidReach`. */
export interface PlaidSearchOptions {
  /** Places, 1 to the number of documents. */
  readonly k: number;
  /** Centroids per query vector whose documents are looked at. */
  readonly cells?: number | undefined;
  /** Similarity with some query vector below which the second stage passes over a centroid; finite. */
  readonly threshold?: number | undefined;
  /** Documents that the second stage leaves, at least 4; a quarter of them is decoded and scored. */
  readonly documents?: number | undefined;
  /** Stops the search. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Approximate late interaction over compressed vectors. A vector is kept as the number of its nearest centroid and `bits` per number of
 * what is left over; the vectors themselves are not kept. A search has four stages:
 *
 * 1. per query vector the `cells` nearest centroids; the candidates are the documents with a vector of one of them;
 * 2. MaxSim where every vector is taken for its centroid, without centroids that no query vector is as similar to as `threshold`;
 *    the `documents` best stay (a document all of whose centroids are passed over comes last);
 * 3. the same with all centroids; a quarter of `documents` stays;
 * 4. MaxSim of the decoded vectors, by `MultiVectorIndex`.
 *
 * Vectors and queries are compared by cosine; scores are those of the decoded vectors, which differ from those of the documents. A
 * vector of zeros is decoded as a unit vector. Equal seeds give the same bits with every number of threads. Stages 2 and 3, and
 * decoding, run on the calling thread, which other work shares.
 *
 * ColBERTv2: Effective and Efficient Retrieval via Lightweight Late Interaction (2022); PLAID: An Efficient Engine for Late
 * Interaction Retrieval (2022). Where the authors' program measures residuals on vectors that k-means did not see, this one
 * measures them on a sample of all vectors that it codes.
 *
 * @example
 * ```ts
 * const index = await PlaidIndex.build({ data, lengths, columns: 128 }, { bits: 2 });
 * const found = await index.search(queryVectors, { k: 10 });
 * found.approximate; // true
 * ```
 */
export class PlaidIndex implements Disposable {
  readonly codec: ResidualCodec;
  readonly #codes: ResidualCodes;
  readonly #ends: Uint32Array;
  readonly #documentsOf: InvertedLists;
  readonly #centroids: FlatIndex;
  readonly #threads: number;

  /** @internal */
  constructor(
    codec: ResidualCodec,
    codes: ResidualCodes,
    ends: Uint32Array,
    centroids: FlatIndex,
    threads: number,
  ) {
    this.codec = codec;
    this.#codes = codes;
    this.#ends = ends;
    this.#documentsOf = invertLists(codec.centroids.rows, codes.centroids, ends);
    this.#centroids = centroids;
    this.#threads = threads;
  }

  /**
   * Codes documents. k-means sees the vectors of 16 sqrt(120 n) of n documents, drawn at random, or of all. O(rounds vectors
   * centroids d).
   *
   * @param documents - at least one, each of at least one vector of finite values
   * @throws GranuleError `EMPTY_INDEX`, `INVALID_ARGUMENT`, `DIMENSION_INVALID`, `LENGTH_MISMATCH`, `EMPTY_DOCUMENT`, `NOT_FINITE`,
   * `OUT_OF_MEMORY`, `ABORTED`
   */
  static async build(documents: RaggedMatrix, options: PlaidOptions = {}): Promise<PlaidIndex> {
    checkKeys(options, ['centroids', 'bits', 'rounds', 'seed', 'threads', 'signal']);
    const { rounds = 4, threads = 0 } = options;
    const bits = checkBits(options.bits ?? 2);
    const seed = checkSeed(options.seed ?? 1);
    const signal = checkSignal(options.signal);
    const { vectors, lengths } = documentVectors(documents.data, documents.lengths, {
      dimension: documents.columns,
      metric: 'cosine',
    });
    if (lengths.length === 0) throw new GranuleError('EMPTY_INDEX', 'there are no documents to index');
    const clusters = checkWholeNumber(options.centroids ?? defaultCentroids(vectors.rows), 1, 'centroids');
    const ends = runningSums(lengths);
    const random = new SeededRandom(seed);
    const how = { metric: 'cosine', threads, signal } as const;
    const { centroids } = await kMeans(trainingVectors(vectors, ends, random), {
      ...how,
      clusters,
      rounds,
      seed,
    });
    const assignments = await assignToNearest(vectors, centroids, how);
    const codec = { centroids, bits, ...bucketsOf(vectors, centroids, assignments, bits, random) };
    const residuals = await encodeInTurns(codec, vectors, assignments, new EventLoopTurns(signal));
    // Searches ask for all of them: codes could leave out none.
    const index = new FlatIndex({ dimension: centroids.columns, metric: 'cosine', threads, codes: 'none' });
    try {
      await index.add(centroids, { signal });
      return new PlaidIndex(codec, { centroids: assignments, residuals }, ends, index, threads);
    } catch (error) {
      index.dispose();
      throw error;
    }
  }

  /** Numbers per vector. */
  get dimension(): number {
    return this.codec.centroids.columns;
  }

  /** Number of documents. */
  get rows(): number {
    return this.#ends.length;
  }

  /** Bytes of codes, lists and centroids. */
  get bytes(): number {
    const { centroids, residuals } = this.#codes;
    const { offsets, rows } = this.#documentsOf;
    return (
      [centroids, residuals, this.#ends, offsets, rows, this.codec.centroids.data].reduce(
        (sum, { byteLength }) => sum + byteLength,
        0,
      ) + this.#centroids.bytes
    );
  }

  /**
   * The k best documents of those that reach the last stage: fewer where fewer do.
   *
   * @param queryVectors - the vectors of one query, finite values
   * @throws GranuleError `INVALID_ARGUMENT`, `LENGTH_MISMATCH`, `K_OUT_OF_RANGE`, `NOT_FINITE`, `OUT_OF_MEMORY`, `ABORTED`,
   * `INDEX_DISPOSED`
   */
  async search(queryVectors: Float32Array | Matrix, options: PlaidSearchOptions): Promise<ApproximateList> {
    checkKeys(options, ['k', 'cells', 'threshold', 'documents', 'signal']);
    const k = checkK(options.k, this.rows);
    const reach = plaidReach(k);
    const cells = checkWholeNumber(options.cells ?? reach.cells, 1, 'cells');
    const threshold = checkThreshold(options.threshold ?? reach.threshold);
    const count = checkWholeNumber(options.documents ?? reach.documents, 4, 'documents');
    const signal = checkSignal(options.signal);
    const data = checkQueries(queryVectors, this.dimension, 'queryVectors').slice();
    const query = checkFinite(matrix(data, this.dimension));
    normaliseRows(query);

    const hits = await this.#centroids.search(query, { k: this.codec.centroids.rows, signal });
    const scores = centroidScores(hits);
    const centroids: DocumentCentroids = { codes: this.#codes.centroids, ends: this.#ends };
    const turns = new EventLoopTurns(signal);
    const probed = probedDocuments(hits, cells, this.#documentsOf);
    const kept = keptCentroids(scores, threshold);
    const pruned = await bestByCentroids(probed, count, scores, centroids, turns, kept);
    const last = await bestByCentroids(pruned, count >>> 2, scores, centroids, turns);
    return this.#scoreDecoded(query, last, k, signal);
  }

  /** Stage 4. */
  async #scoreDecoded(
    query: Matrix,
    documents: Uint32Array,
    k: number,
    signal: AbortSignal | undefined,
  ): Promise<ApproximateList> {
    const decoded = this.decode(documents);
    const index = new MultiVectorIndex({
      dimension: this.dimension,
      threads: this.#threads,
      codes: 'none',
      device: 'cpu',
    });
    try {
      await index.add(decoded.data, decoded.lengths, { signal });
      const { rows, scores } = await index.search(query, { k: Math.min(k, documents.length), signal });
      const ranked = rankedList(
        rows.map((place) => documents[place]!),
        scores,
      );
      return { ...ranked, approximate: true, rowsScored: documents.length };
    } finally {
      index.dispose();
    }
  }

  /**
   * The vectors that the codes of documents stand for. O(vectors d).
   *
   * @param documents - numbers below `rows`, in any order, with repeats
   * @returns item i holds the vectors of `documents[i]`
   * @throws GranuleError `INVALID_ARGUMENT`, `ROW_NOT_FOUND` (`details.row`)
   */
  decode(documents: Uint32Array): RaggedMatrix {
    const unknown = checkUint32(documents, 'documents').find((document) => document >= this.rows);
    if (unknown !== undefined) {
      throw new GranuleError('ROW_NOT_FOUND', `there is no document ${unknown}; there are ${this.rows}`, {
        row: unknown,
      });
    }
    const starts = documents.map((document) => (document === 0 ? 0 : this.#ends[document - 1]!));
    const lengths = documents.map((document, i) => this.#ends[document]! - starts[i]!);
    const { data } = decodeResiduals(this.codec, this.#codes, consecutive(starts, lengths));
    return { data, lengths, columns: this.dimension };
  }

  /** Frees the memory outside of the JavaScript heap now. */
  dispose(): void {
    this.#centroids.dispose();
  }

  /** As `dispose`, for `using`. */
  [Symbol.dispose](): void {
    this.dispose();
  }
}

function defaultCentroids(vectors: number): number {
  return 2 ** Math.floor(Math.log2(16 * Math.sqrt(vectors)));
}

/** The vectors that k-means sees. */
function trainingVectors(vectors: Matrix, ends: Uint32Array, random: SeededRandom): Matrix {
  const count = Math.floor(16 * Math.sqrt(120 * ends.length));
  if (count >= ends.length) return vectors;
  const documents = drawRows(ends.length, count, random).sort();
  const starts = documents.map((document) => (document === 0 ? 0 : ends[document - 1]!));
  return rowsOf(
    vectors,
    consecutive(
      starts,
      documents.map((document, i) => ends[document]! - starts[i]!),
    ),
  );
}

/** The buckets of the residuals of some vectors, or of all. */
function bucketsOf(
  vectors: Matrix,
  centroids: Matrix,
  assignments: Uint32Array,
  bits: ResidualBits,
  random: SeededRandom,
): Pick<ResidualCodec, 'cutoffs' | 'values'> {
  const count = Math.max(1, Math.min(vectors.rows, Math.floor(BUCKET_NUMBERS / vectors.columns)));
  const rows = drawRows(vectors.rows, count, random);
  const { data: residuals } = rowsOf(vectors, rows);
  const { data: nearest } = rowsOf(
    centroids,
    rows.map((row) => assignments[row]!),
  );
  for (let i = 0; i < residuals.length; i++) residuals[i]! -= nearest[i]!;
  return residualBuckets(residuals, bits);
}

async function encodeInTurns(
  codec: ResidualCodec,
  vectors: Matrix,
  assignments: Uint32Array,
  turns: EventLoopTurns,
): Promise<Uint8Array> {
  const { columns } = vectors;
  const residuals = new Uint8Array(vectors.rows * Math.ceil((columns * codec.bits) / 8));
  const width = residuals.length / vectors.rows;
  for (let row = 0; row < vectors.rows; row += VECTORS_PER_LOOK) {
    if (turns.over) await turns.pass();
    const part = matrix(vectors.data.subarray(row * columns, (row + VECTORS_PER_LOOK) * columns), columns);
    residuals.set(encodeResiduals(codec, part, assignments.subarray(row, row + part.rows)), row * width);
  }
  return residuals;
}

function runningSums(lengths: Uint32Array): Uint32Array {
  let sum = 0;
  return lengths.map((length) => {
    sum += length;
    return sum;
  });
}

/** The numbers of runs, one after the other. */
function consecutive(starts: Uint32Array, lengths: Uint32Array): Uint32Array {
  const numbers = new Uint32Array(lengths.reduce((sum, length) => sum + length, 0));
  let at = 0;
  for (const [run, length] of lengths.entries()) {
    for (let i = 0; i < length; i++) numbers[at++] = starts[run]! + i;
  }
  return numbers;
}

function checkThreshold(threshold: number): number {
  if (!Number.isFinite(threshold)) {
    throw new GranuleError('INVALID_ARGUMENT', `threshold must be a finite number, got ${show(threshold)}`);
  }
  return threshold;
}
