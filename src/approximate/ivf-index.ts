import { GranuleError } from '../errors.js';
import { checkK, checkKeys, checkQueries, checkSignal, type IndexOptions } from '../index/arguments.js';
import { FlatIndex } from '../index/flat-index.js';
import type { Metric } from '../native/addon-types.js';
import { rankedList } from '../ranking/ranked-list.js';
import { SeededRandom } from '../ranking/seeded-random.js';
import { type Matrix, matrix } from '../vectors/matrix.js';
import type { ApproximateList } from './approximate-list.js';
import { type InvertedLists, invertLists } from './inverted-lists.js';
import { assignToNearest, checkFinite, drawRows, kMeans, rowsOf } from './k-means.js';
import { checkSeed, checkWholeNumber } from './option-checks.js';

/** Vectors that k-means sees per list, at most: more do not place the centroids noticeably better. */
const TRAINING_VECTORS_PER_LIST = 256;

/** Rows that one add takes. */
const ROWS_PER_ADD = 4096;

/** Options of `IvfIndex.build`. */
export interface IvfOptions extends Pick<IndexOptions, 'metric' | 'dtype' | 'threads' | 'device' | 'codes'> {
  /** Lists to divide the rows into; round(4 sqrt(rows)) by default, at most one per row. */
  readonly lists?: number | undefined;
  /** Most rounds of k-means; 10 by default. */
  readonly rounds?: number | undefined;
  /** A whole number; 1 by default. */
  readonly seed?: number | undefined;
  /** Stops the work. */
  readonly signal?: AbortSignal | undefined;
}

/** Options of `IvfIndex.search`. */
export interface IvfSearchOptions {
  /** Places per query, 1 to the number of rows. */
  readonly k: number;
  /** Lists to search, those of the nearest centroids; 8 by default. With all of them the result is that of `FlatIndex`. */
  readonly probes?: number | undefined;
  /** Stops the search. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Approximate nearest neighbours: an inverted file over `FlatIndex`. Rows lie in the lists of their nearest centroids; a search
 * finds the `probes` lists whose centroids are nearest to the query, and in them the k best rows, exactly. Rows of other lists
 * are missed.
 *
 * `cosine` and `ip` cluster directions (spherical k-means) and choose lists by the inner product with the unit centroids; `l2`
 * clusters points and chooses by distance. For `ip` over vectors of very different lengths, long ones in lists that are not
 * probed are missed.
 *
 * Video Google: A Text Retrieval Approach to Object Matching in Videos (2003); Product quantization for nearest neighbor search (2011).
 *
 * @example
 * ```ts
 * const index = await IvfIndex.build(matrix(vectors, 384), { metric: 'cosine' });
 * const [found] = await index.search(query, { k: 10, probes: 16 });
 * found.approximate; // true
 * ```
 */
export class IvfIndex implements Disposable {
  readonly dimension: number;
  readonly metric: Metric;
  /** One per list: points for `l2`, unit vectors otherwise. */
  readonly centroids: Matrix;
  readonly #centroids: FlatIndex;
  readonly #index: FlatIndex;
  /** The rows list after list, as the index holds them: whole runs of it are left out then. */
  readonly #lists: InvertedLists;

  /** @internal */
  constructor(centroids: Matrix, centroidIndex: FlatIndex, index: FlatIndex, lists: InvertedLists) {
    this.dimension = index.dimension;
    this.metric = index.metric;
    this.centroids = centroids;
    this.#centroids = centroidIndex;
    this.#index = index;
    this.#lists = lists;
  }

  /**
   * Divides rows into lists. O(rounds rows lists d).
   *
   * @param vectors - rows x dimension finite values, at least one row; they are copied
   * @throws GranuleError `EMPTY_INDEX`, `INVALID_ARGUMENT`, `DIMENSION_INVALID`, `LENGTH_MISMATCH`, `NOT_FINITE`, `INDEX_FULL`,
   * `OUT_OF_MEMORY`, `DEVICE_UNAVAILABLE`, `ABORTED`
   */
  static async build(vectors: Matrix, options: IvfOptions = {}): Promise<IvfIndex> {
    const { lists: asked, rounds, seed = 1, signal, ...indexOptions } = options;
    checkKeys(indexOptions, ['metric', 'dtype', 'threads', 'device', 'codes']);
    const source = checkFinite(vectors);
    if (source.rows === 0) throw new GranuleError('EMPTY_INDEX', 'there are no vectors to index');
    const clusters = checkWholeNumber(
      asked ?? Math.max(1, Math.round(4 * Math.sqrt(source.rows))),
      1,
      'lists',
    );
    const { metric = 'ip', threads } = indexOptions;
    const dimension = source.columns;
    const index = new FlatIndex({ dimension, ...indexOptions });
    const centroidIndex = new FlatIndex({ dimension, metric: metric === 'l2' ? 'l2' : 'cosine', threads });
    try {
      const how = { metric: metric === 'l2' ? 'l2' : 'cosine', threads, signal } as const;
      const sample = trainingSample(source, clusters, checkSeed(seed));
      const { centroids } = await kMeans(sample, { ...how, clusters, rounds, seed });
      const lists = invertLists(centroids.rows, await assignToNearest(source, centroids, how));
      await centroidIndex.add(centroids, { signal });
      for (let place = 0; place < source.rows; place += ROWS_PER_ADD) {
        await index.add(rowsOf(source, lists.rows.subarray(place, place + ROWS_PER_ADD)), { signal });
      }
      return new IvfIndex(centroids, centroidIndex, index, lists);
    } catch (error) {
      index.dispose();
      centroidIndex.dispose();
      throw error;
    }
  }

  /** Number of rows. */
  get rows(): number {
    return this.#lists.rows.length;
  }

  /** Number of lists. */
  get lists(): number {
    return this.#lists.offsets.length - 1;
  }

  /** Bytes of memory held outside of the JavaScript heap; 0 once disposed. */
  get bytes(): number {
    return this.#index.bytes + this.#centroids.bytes;
  }

  /**
   * The k best rows of each query among those of its nearest lists: fewer where those hold fewer. Scores are those of `FlatIndex`.
   * Of rows of different lists that have the same score, any may take the last place.
   *
   * @param queries - one or more rows of dimension finite values
   * @returns a list per query
   * @throws GranuleError `INVALID_ARGUMENT`, `LENGTH_MISMATCH`, `K_OUT_OF_RANGE`, `NOT_FINITE`, `OUT_OF_MEMORY`, `ABORTED`,
   * `INDEX_DISPOSED`
   */
  async search(queries: Float32Array | Matrix, options: IvfSearchOptions): Promise<ApproximateList[]> {
    checkKeys(options, ['k', 'probes', 'signal']);
    const k = checkK(options.k, this.rows);
    const probes = checkWholeNumber(options.probes ?? 8, 1, 'probes');
    const signal = checkSignal(options.signal);
    const data = matrix(checkQueries(queries, this.dimension, 'queries'), this.dimension);
    const nearest = await this.#centroids.search(data, { k: Math.min(probes, this.lists), signal });
    const found: ApproximateList[] = [];
    for (let query = 0; query < data.rows; query++) {
      const vector = data.data.subarray(query * this.dimension, (query + 1) * this.dimension);
      const probed = nearest.rows.subarray(query * nearest.k, (query + 1) * nearest.k);
      found.push(await this.#searchLists(vector, probed, k, signal));
    }
    return found;
  }

  async #searchLists(
    query: Float32Array,
    lists: Uint32Array,
    k: number,
    signal: AbortSignal | undefined,
  ): Promise<ApproximateList> {
    const { offsets, rows } = this.#lists;
    const filter = new Uint8Array(Math.ceil(rows.length / 8));
    let rowsScored = 0;
    for (const list of lists) {
      setBits(filter, offsets[list]!, offsets[list + 1]!);
      rowsScored += offsets[list + 1]! - offsets[list]!;
    }
    const hits = await this.#index.search(query, { k: Math.min(k, rowsScored), filter, signal });
    const places = hits.rows.subarray(0, hits.counts[0]);
    const ranked = rankedList(
      places.map((place) => rows[place]!),
      hits.scores.subarray(0, places.length),
    );
    return { ...ranked, approximate: true, rowsScored };
  }

  /** Frees the memory now. */
  dispose(): void {
    this.#index.dispose();
    this.#centroids.dispose();
  }

  /** As `dispose`, for `using`. */
  [Symbol.dispose](): void {
    this.dispose();
  }
}

/** The vectors that k-means sees: all where there are few. */
function trainingSample(vectors: Matrix, clusters: number, seed: number): Matrix {
  const count = TRAINING_VECTORS_PER_LIST * clusters;
  if (count >= vectors.rows) return vectors;
  return rowsOf(vectors, drawRows(vectors.rows, count, new SeededRandom(seed)));
}

/** Sets the bits from `from` to `to`, which is not included. */
function setBits(filter: Uint8Array, from: number, to: number): void {
  let bit = from;
  for (; bit < to && (bit & 7) !== 0; bit++) filter[bit >>> 3]! |= 1 << (bit & 7);
  const wholeBytes = (to - bit) >>> 3;
  filter.fill(0xff, bit >>> 3, (bit >>> 3) + wholeBytes);
  for (bit += wholeBytes * 8; bit < to; bit++) filter[bit >>> 3]! |= 1 << (bit & 7);
}
