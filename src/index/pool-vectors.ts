import { GranuleError } from '../errors.js';
import { abortable } from '../native/abortable.js';
import { type Metric, POOLING_METHOD_CODES, type PoolingMethod } from '../native/addon-types.js';
import { loadAddon } from '../native/load-addon.js';
import { type Matrix, matrix } from '../vectors/matrix.js';
import { checkIndexOptions, checkKeys, checkSignal, checkUint32, checkVectors, show } from './arguments.js';

/** Most vectors of one document that Ward's method takes: its distances then fill 1 GiB. */
const MAX_WARD_VECTORS = 16_384;

/** Most vectors in all: members are counted in 32 bits. */
const MAX_VECTORS = 0xffff_ffff;

/** Options of `poolVectors`. Give either `factor` or `count`. */
export interface PoolingOptions {
  /** Numbers per vector, 1 to 65,536. */
  readonly dimension: number;
  /** `cosine` pools the normalised vectors and normalises the means; `ip`, the default, and `l2` take them as they are. */
  readonly metric?: Metric | undefined;
  /** `ward` for documents of up to 16,384 vectors, `kmeans` for any. */
  readonly method: PoolingMethod;
  /** Keep ceil(n / factor) of n vectors, `protect` aside; a number of at least 1. */
  readonly factor?: number | undefined;
  /** Keep at most so many vectors of a document, `protect` included; a whole number above `protect`. */
  readonly count?: number | undefined;
  /** So many first vectors of each document (a class token, say) are kept as they are; 0 by default. */
  readonly protect?: number | undefined;
  /** Most threads, one per document at a time; 0, the default, means one per core. Results do not depend on it. */
  readonly threads?: number | undefined;
  /** Stops the work. */
  readonly signal?: AbortSignal | undefined;
}

/** For each pooled vector the vectors that went into it. */
export interface PoolMembers {
  /** One more than there are pooled vectors: number p has the members `rows[offsets[p] .. offsets[p + 1])`. */
  readonly offsets: Uint32Array;
  /** Every row of the input once, ascending within a pooled vector. */
  readonly rows: Uint32Array;
}

/** Documents with fewer vectors. */
export interface PooledVectors {
  /** Document after document; within one in the order of each pooled vector's lowest member. */
  readonly vectors: Matrix;
  /** Pooled vectors per document. */
  readonly lengths: Uint32Array;
  readonly members: PoolMembers;
  /**
   * Per pooled vector c an upper bound of |x - c| over its members x, the vectors as `metric` keeps them; so
   * <q,x> <= <q,c> + |q| radius for every q. At most 2e-7 above the greatest distance, relatively; exactly 0 for one member;
   * Infinity where the distance is beyond float32.
   */
  readonly radii: Float32Array;
  readonly metric: Metric;
}

/**
 * Replaces groups of similar vectors of a document by their means, so that an index over several vectors per document
 * holds fewer.
 *
 * - `ward` joins, until enough groups are gone, the two whose union adds least to the sum of squared distances to the
 *   means: |A| |B| / (|A| + |B|) |mean(A) - mean(B)|^2. Exactly as many groups remain as are to be kept. O(n^2 d) per
 *   document of n vectors.
 * - `kmeans` starts from k-means++ with a fixed seed and reassigns for at most 10 rounds; O(n k d) a round. A document of
 *   fewer different vectors than are to be kept gets one group for each.
 *
 * A pooled vector is the mean of its members in float64, for `cosine` normalised afterwards, rounded once to float32; a
 * group of one is its member, bit for bit. Where nothing is to be lost (`factor` 1) every vector is a group of its own.
 * Distances are Euclidean, between normalised vectors for `cosine`. Results are the same bits on every machine and with
 * every number of threads.
 *
 * All work runs on threads of the engine, documents side by side. Arrays that are passed in are read where they lie: leave
 * them as they are, and do not transfer them, until the promise settles.
 *
 * @param vectors - rows x dimension finite values, document after document
 * @param lengths - vectors per document, each at least 1, together all of `vectors`
 * @throws GranuleError `INVALID_ARGUMENT`, `DIMENSION_INVALID`, `LENGTH_MISMATCH`, `EMPTY_DOCUMENT` (`details.row` in
 * `lengths`), `NOT_FINITE` (`details.row` and `.column` in `vectors`), `INDEX_FULL`, `OUT_OF_MEMORY`, `ABORTED`
 *
 * @example
 * ```ts
 * const patches = new Float32Array([1, 0, 0.8, 0.6, 0, 1]);
 * const pooled = await poolVectors(patches, new Uint32Array([3]), { dimension: 2, method: 'ward', count: 2 });
 * pooled.members.rows; // Uint32Array [0, 1, 2]
 * pooled.members.offsets; // Uint32Array [0, 2, 3]
 * pooled.vectors.data; // Float32Array [0.9, 0.3, 0, 1], nearly
 * ```
 */
export async function poolVectors(
  vectors: Float32Array | Matrix,
  lengths: Uint32Array,
  options: PoolingOptions,
): Promise<PooledVectors> {
  checkKeys(options, ['dimension', 'metric', 'method', 'factor', 'count', 'protect', 'threads', 'signal']);
  const { metric = 'ip' } = options;
  const index = checkIndexOptions({ dimension: options.dimension, metric, threads: options.threads });
  const { dimension } = index;
  const method = checkMethod(options.method);
  const protect = checkProtect(options.protect);
  const keep = checkKeep(options, protect);
  const signal = checkSignal(options.signal);
  const data = checkVectors(vectors, dimension, 'vectors');
  // Copied, for the addon sizes its memory by them: they must not change under its hands.
  const ownLengths = checkUint32(lengths, 'lengths').slice();
  checkDocuments(ownLengths, data.length / dimension, options.method, protect);

  const kept = ownLengths.map((length) => Math.min(length, protect) + keep(Math.max(0, length - protect)));
  const room = kept.reduce((sum, count) => sum + count, 0);
  const result = {
    vectors: new Float32Array(room * dimension),
    lengths: new Uint32Array(ownLengths.length),
    offsets: new Uint32Array(room + 1),
    rows: new Uint32Array(data.length / dimension),
    radii: new Float32Array(room),
  };
  const { threads } = index;
  const count = await abortable(signal, (cancel) =>
    loadAddon().poolVectors(
      data,
      ownLengths,
      kept,
      { dimension, metric: index.metric, method, protect, threads, cancel },
      result,
    ),
  );
  return {
    vectors: matrix(result.vectors.subarray(0, count * dimension), dimension),
    lengths: result.lengths,
    members: { offsets: result.offsets.subarray(0, count + 1), rows: result.rows },
    radii: result.radii.subarray(0, count),
    metric,
  };
}

function checkMethod(method: PoolingMethod): (typeof POOLING_METHOD_CODES)[PoolingMethod] {
  if (typeof method !== 'string' || !Object.hasOwn(POOLING_METHOD_CODES, method)) {
    throw new GranuleError(
      'INVALID_ARGUMENT',
      `method must be one of ${Object.keys(POOLING_METHOD_CODES).join(', ')}, got ${show(method)}`,
    );
  }
  return POOLING_METHOD_CODES[method];
}

/** @throws GranuleError `INVALID_ARGUMENT` */
export function checkProtect(protect: number | undefined): number {
  if (protect === undefined) return 0;
  if (!Number.isInteger(protect) || protect < 0 || protect > MAX_VECTORS) {
    throw new GranuleError(
      'INVALID_ARGUMENT',
      `protect must be a whole number of at least 0, got ${show(protect)}`,
    );
  }
  return protect;
}

/**
 * How many vectors to keep of so many that are not protected.
 *
 * @throws GranuleError `INVALID_ARGUMENT`
 */
export function checkKeep(
  { factor, count }: Pick<PoolingOptions, 'factor' | 'count'>,
  protect: number,
): (vectors: number) => number {
  if ((factor === undefined) === (count === undefined)) {
    throw new GranuleError('INVALID_ARGUMENT', 'give either factor or count');
  }
  if (factor !== undefined) {
    if (typeof factor !== 'number' || !Number.isFinite(factor) || factor < 1) {
      throw new GranuleError(
        'INVALID_ARGUMENT',
        `factor must be a number of at least 1, got ${show(factor)}`,
      );
    }
    return (vectors) => Math.ceil(vectors / factor);
  }
  if (!Number.isInteger(count) || count! <= protect) {
    throw new GranuleError(
      'INVALID_ARGUMENT',
      `count must be a whole number above protect (${protect}), got ${show(count)}`,
    );
  }
  return (vectors) => Math.min(vectors, count! - protect);
}

function checkDocuments(lengths: Uint32Array, vectors: number, method: PoolingMethod, protect: number): void {
  if (vectors > MAX_VECTORS) {
    throw new GranuleError(
      'INDEX_FULL',
      `at most ${MAX_VECTORS} vectors can be pooled at once, got ${vectors}`,
    );
  }
  let sum = 0;
  for (const [row, length] of lengths.entries()) {
    if (length === 0) throw new GranuleError('EMPTY_DOCUMENT', `document ${row} has no vectors`, { row });
    if (method === 'ward' && length - protect > MAX_WARD_VECTORS) {
      throw new GranuleError(
        'INVALID_ARGUMENT',
        `document ${row} has ${length} vectors; method 'ward' takes up to ${MAX_WARD_VECTORS}, 'kmeans' takes any number`,
        { row },
      );
    }
    sum += length;
  }
  if (sum !== vectors) {
    throw new GranuleError(
      'LENGTH_MISMATCH',
      `the lengths add up to ${sum} vectors, but there are ${vectors}`,
      { sum, vectors },
    );
  }
}
