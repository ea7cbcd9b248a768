import { setImmediate as nextTurn } from 'node:timers/promises';
import { GranuleError } from '../errors.js';
import type { Device } from '../native/device.js';
import { matrix, matrixRow } from '../vectors/matrix.js';
import { checkKeys, MAX_DIMENSION } from './arguments.js';
import type { Hits } from './hits.js';
import { MultiVectorIndex } from './multi-vector-index.js';
import type { PooledVectors } from './pool-vectors.js';

/** Options of `PooledBounds.create`. */
export interface PooledBoundsOptions {
  /** Most threads that one call may use; 0, the default, means one per core. */
  readonly threads?: number | undefined;
  /** `auto` by default. */
  readonly device?: Device | undefined;
  /** Stops the making. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * What is added to a radius, as a share of the greatest norm |c| + r of a member, for the rounding of scores.
 *
 * Let n be the dimension, at most 65,535, and u = 2^-53. A reference inner product of n float32 errs by less than
 * 8,200 u < 2^-40 of the product of the norms: once in the exact score of <q, x>, once in that of the bound. A norm below
 * errs by less than 2^-40 of itself. All of it together stays below 2^-38 |q| (|c| + r).
 */
const ROUNDING_SHARE = 2 ** -36;

/** Numbers handled between two turns of the event loop, well below a millisecond. */
const NUMBERS_PER_TURN = 2 ** 18;

/**
 * Upper bounds of late-interaction scores, from pooled vectors: of a document with pooled vectors c and radii r
 *
 *     U = sum over i of max over c of <q_i, c> + |q_i| r    >=    MaxSim of the document's own vectors
 *
 * U is itself a MaxSim, of vectors with one number more: (c, r') against (q_i, |q_i|'), both rounded up to float32 and r'
 * raised for the rounding of scores; so an index of the engine gives it. Rounding never changes an order: what bounds
 * the inner products bounds their float32, the sums of those and the sums' float32. Hence U bounds the reference score
 * itself, bit for bit.
 */
export class PooledBounds implements Disposable {
  /** Numbers per vector that was pooled. */
  readonly dimension: number;
  readonly metric: 'ip' | 'cosine';
  readonly #index: MultiVectorIndex;

  private constructor(dimension: number, metric: 'ip' | 'cosine', index: MultiVectorIndex) {
    this.dimension = dimension;
    this.metric = metric;
    this.#index = index;
  }

  /**
   * The bounds of pooled documents. It copies what it needs.
   *
   * @param pooled - of `poolVectors` with metric `ip` or `cosine`, of at most 65,535 numbers per vector, one document at
   * least
   * @throws GranuleError `INVALID_ARGUMENT`, `DIMENSION_INVALID`, `LENGTH_MISMATCH`, `DEVICE_UNAVAILABLE`, `ABORTED`,
   * `OUT_OF_MEMORY`; `NOT_FINITE` for radii beyond float32
   */
  static async create(pooled: PooledVectors, options: PooledBoundsOptions = {}): Promise<PooledBounds> {
    checkKeys(options, ['threads', 'device', 'signal']);
    const { vectors, radii, metric } = pooled;
    const dimension = vectors.columns;
    if (metric === 'l2') {
      throw new GranuleError('INVALID_ARGUMENT', "bounds are for metric 'ip' or 'cosine', got 'l2'");
    }
    if (dimension >= MAX_DIMENSION) {
      throw new GranuleError(
        'DIMENSION_INVALID',
        `vectors with a bound have at most ${MAX_DIMENSION - 1} numbers, got ${dimension}`,
        { dimension },
      );
    }
    const { threads, device, signal } = options;
    const index = new MultiVectorIndex({ dimension: dimension + 1, threads, device });
    try {
      const widened = new Float32Array(vectors.rows * (dimension + 1));
      const rowsPerTurn = Math.ceil(NUMBERS_PER_TURN / dimension);
      for (let row = 0; row < vectors.rows; row++) {
        if (row % rowsPerTurn === rowsPerTurn - 1) await nextTurn();
        const vector = matrixRow(vectors, row);
        const radius = radii[row]!;
        widened.set(vector, row * (dimension + 1));
        widened[row * (dimension + 1) + dimension] = float32AtLeast(
          radius + ROUNDING_SHARE * (referenceNorm(vector) + radius),
        );
      }
      await index.add(widened, pooled.lengths, { signal });
      return new PooledBounds(dimension, metric, index);
    } catch (error) {
      index.dispose();
      throw error;
    }
  }

  /** Documents. */
  get rows(): number {
    return this.#index.rows;
  }

  /** Bytes held outside of the JavaScript heap. */
  get bytes(): number {
    return this.#index.bytes;
  }

  /**
   * The k documents of the highest bounds, as `scores`.
   *
   * @param queryVectors - the vectors of one query, dimension finite values each
   * @throws GranuleError as `MultiVectorIndex.search`; `NOT_FINITE` also for a query vector whose norm is beyond float32
   */
  async search(queryVectors: Float32Array, k: number, signal?: AbortSignal): Promise<Hits> {
    const { dimension } = this;
    const queries = matrix(queryVectors, dimension);
    const widened = new Float32Array(queries.rows * (dimension + 1));
    for (let row = 0; row < queries.rows; row++) {
      let query = matrixRow(queries, row);
      const norm = referenceNorm(query);
      // As an index of metric cosine keeps its vectors.
      if (this.metric === 'cosine' && norm > 0) query = query.map((value) => value / norm);
      widened.set(query, row * (dimension + 1));
      widened[row * (dimension + 1) + dimension] = float32AtLeast(
        referenceNorm(query) * (1 + ROUNDING_SHARE),
      );
    }
    return this.#index.search(widened, { k, signal });
  }

  /** Frees the memory now. */
  dispose(): void {
    this.#index.dispose();
  }

  /** As `dispose`, for `using`. */
  [Symbol.dispose](): void {
    this.dispose();
  }
}

/** |x| as the engine computes it: eight lanes, added pairwise, in float64. */
export function referenceNorm(x: Float32Array | Float64Array): number {
  const lanes = new Float64Array(8);
  for (let i = 0; i < x.length; i++) lanes[i & 7]! += x[i]! * x[i]!;
  for (let width = 1; width < 8; width *= 2) {
    for (let lane = 0; lane < 8; lane += 2 * width) lanes[lane]! += lanes[lane + width]!;
  }
  return Math.sqrt(lanes[0]!);
}

/** The least float32 that is not below `value`, which is not negative. */
export function float32AtLeast(value: number): number {
  const rounded = Float32Array.of(value);
  // The bits of floats that are not negative count in their order.
  if (rounded[0]! < value) new Uint32Array(rounded.buffer)[0]! += 1;
  return rounded[0]!;
}
