import { GranuleError } from '../../errors.js';
import {
  checkBoolean,
  checkIndexOptions,
  checkKeys,
  checkQueries,
  MAX_DIMENSION,
} from '../../index/arguments.js';
import { SeededRandom } from '../../ranking/seeded-random.js';
import { type Matrix, matrix, matrixRow } from '../../vectors/matrix.js';
import { checkSeed, checkWholeNumber } from '../option-checks.js';

/** Most numbers of an encoding before the final projection: 128 MiB while it is added up. */
const MAX_BLOCKS_LENGTH = 2 ** 24;

/** Options of `FixedDimensionalEncoder`. */
export interface FixedDimensionalEncodingOptions {
  /** Numbers per vector, d. */
  readonly dimension: number;
  /** R: how often space is partitioned anew; 20 by default. */
  readonly repetitions?: number | undefined;
  /** k: a repetition has 2^k partitions, divided by k random hyperplanes; 0 to 24, 5 by default. */
  readonly hyperplanes?: number | undefined;
  /** Numbers that a vector is projected to within a partition, 1 to d; min(16, d) by default. With d it stays as it is. */
  readonly projectedDimension?: number | undefined;
  /** Numbers that the whole encoding is projected to; by default it stays as it is. */
  readonly finalDimension?: number | undefined;
  /** Fills a document's empty partitions with its nearest vector; on by default. */
  readonly fillEmptyPartitions?: boolean | undefined;
  /** A whole number; repetition r draws from seed + r. 1 by default. */
  readonly seed?: number | undefined;
}

/** A random map from d numbers to fewer: number i goes to one place, with one sign. */
interface CountSketch {
  readonly places: Uint32Array;
  readonly signs: Int8Array;
}

/** What one repetition draws. */
interface Repetition {
  /** k x d normal numbers. */
  readonly hyperplanes: Float64Array;
  readonly projection: CountSketch;
}

/**
 * Encodes queries and documents of several vectors each as one vector, so that an inner product approximates MaxSim:
 *
 *     <encodeQuery(Q), encodeDocument(X)> / R  ~  sum over q in Q of max over x in X of <q, x>
 *
 * In each of R repetitions, the signs of the products with k normal vectors put a vector in one of 2^k partitions; partitions are
 * numbered by Gray code, so that neighbours differ in one sign. A query's block for a partition is the sum of its vectors there, a
 * document's the mean; where a document has none, it is its vector with the fewest other signs, the first of equal ones (if
 * `fillEmptyPartitions`). Blocks are projected to `projectedDimension` numbers, and all of them to `finalDimension`, by
 * count-sketches: every number goes to one random place with a random sign, which keeps inner products on average. (The paper
 * describes dense matrices of signs; its authors' program does this.)
 *
 * Sums are float64, rounded once. Encodings depend on the generator: those of other implementations, and of other options, cannot
 * be compared with these. O(R n (k d + d)) for n vectors, and O(R 2^k n) to fill.
 *
 * MUVERA: Multi-Vector Retrieval via Fixed Dimensional Encodings (2024).
 */
export class FixedDimensionalEncoder {
  readonly dimension: number;
  readonly repetitions: number;
  /** Numbers per encoding: R 2^k projectedDimension, or finalDimension. */
  readonly length: number;
  readonly #partitions: number;
  readonly #hyperplanes: number;
  readonly #projected: number;
  readonly #fill: boolean;
  readonly #draws: readonly Repetition[];
  readonly #final: CountSketch | undefined;

  /** @throws GranuleError `INVALID_ARGUMENT`; `DIMENSION_INVALID`, also where an encoding has more than 65,536 numbers */
  constructor(options: FixedDimensionalEncodingOptions) {
    checkKeys(options, [
      'dimension',
      'repetitions',
      'hyperplanes',
      'projectedDimension',
      'finalDimension',
      'fillEmptyPartitions',
      'seed',
    ]);
    const { dimension, finalDimension } = options;
    checkIndexOptions({ dimension });
    this.dimension = dimension;
    this.repetitions = checkWholeNumber(options.repetitions ?? 20, 1, 'repetitions');
    this.#hyperplanes = checkWholeNumber(options.hyperplanes ?? 5, 0, 'hyperplanes', 24);
    this.#partitions = 2 ** this.#hyperplanes;
    const projected = options.projectedDimension ?? Math.min(16, dimension);
    this.#projected = checkWholeNumber(projected, 1, 'projectedDimension', dimension);
    this.#fill = checkBoolean(options.fillEmptyPartitions ?? true, 'fillEmptyPartitions');
    const seed = checkSeed(options.seed ?? 1);

    const blocksLength = this.repetitions * this.#partitions * this.#projected;
    this.length = finalDimension ?? blocksLength;
    if (finalDimension !== undefined) checkWholeNumber(finalDimension, 1, 'finalDimension', MAX_DIMENSION);
    if (blocksLength > MAX_BLOCKS_LENGTH || this.length > MAX_DIMENSION) {
      throw new GranuleError(
        'DIMENSION_INVALID',
        `encodings would have ${blocksLength} numbers; take fewer repetitions or hyperplanes, or a finalDimension`,
        { length: blocksLength },
      );
    }
    this.#draws = Array.from({ length: this.repetitions }, (_, r) => this.#draw(seed + r));
    if (finalDimension !== undefined) {
      this.#final = countSketch(blocksLength, finalDimension, new SeededRandom(`final projection ${seed}`));
    }
  }

  #draw(seed: number): Repetition {
    const normal = new SeededRandom(`hyperplanes ${seed}`);
    return {
      hyperplanes: Float64Array.from({ length: this.#hyperplanes * this.dimension }, () => normal.normal()),
      projection:
        this.#projected === this.dimension
          ? identity(this.dimension)
          : countSketch(this.dimension, this.#projected, new SeededRandom(`projection ${seed}`)),
    };
  }

  /**
   * The encoding of a query.
   *
   * @param vectors - n x d, n at least 1
   * @returns `length` numbers
   * @throws GranuleError `INVALID_ARGUMENT`, `LENGTH_MISMATCH`, also for a query without vectors
   */
  encodeQuery(vectors: Float32Array | Matrix): Float32Array {
    return this.#encode(vectors, false);
  }

  /**
   * The encoding of a document.
   *
   * @param vectors - n x d, n at least 1
   * @returns `length` numbers
   * @throws GranuleError `INVALID_ARGUMENT`, `LENGTH_MISMATCH`, also for a document without vectors
   */
  encodeDocument(vectors: Float32Array | Matrix): Float32Array {
    return this.#encode(vectors, true);
  }

  #encode(vectors: Float32Array | Matrix, document: boolean): Float32Array {
    const data = checkQueries(vectors, this.dimension, document ? 'a document' : 'a query');
    const source = matrix(data, this.dimension);
    const blocks = new Float64Array(this.repetitions * this.#partitions * this.#projected);
    const repetitionLength = this.#partitions * this.#projected;
    for (const [r, { hyperplanes, projection }] of this.#draws.entries()) {
      const own = blocks.subarray(r * repetitionLength, (r + 1) * repetitionLength);
      const partitions = this.#partitionsOf(source, hyperplanes);
      for (const [row, partition] of partitions.entries()) {
        addSketch(matrixRow(source, row), projection, this.#block(own, partition));
      }
      if (document) this.#average(source, partitions, projection, own);
    }
    return Float32Array.from(this.#final === undefined ? blocks : this.#finish(blocks, this.#final));
  }

  #block(blocks: Float64Array, partition: number): Float64Array {
    return blocks.subarray(partition * this.#projected, (partition + 1) * this.#projected);
  }

  /** Per vector its partition: the number whose Gray code is the signs of its products. */
  #partitionsOf(source: Matrix, hyperplanes: Float64Array): Uint32Array {
    const { columns } = source;
    return Uint32Array.from({ length: source.rows }, (_, row) => {
      const start = row * columns;
      let partition = 0;
      for (let h = 0; h < hyperplanes.length; h += columns) {
        let product = 0;
        for (let d = 0; d < columns; d++) product += source.data[start + d]! * hyperplanes[h + d]!;
        partition = (partition << 1) + ((product > 0 ? 1 : 0) ^ (partition & 1));
      }
      return partition;
    });
  }

  /** Turns a document's sums into means, and fills its empty partitions. */
  #average(source: Matrix, partitions: Uint32Array, projection: CountSketch, blocks: Float64Array): void {
    const sizes = new Uint32Array(this.#partitions);
    for (const partition of partitions) sizes[partition]!++;
    for (const [partition, size] of sizes.entries()) {
      const block = this.#block(blocks, partition);
      if (size > 0) for (let i = 0; i < block.length; i++) block[i]! /= size;
      else if (this.#fill) addSketch(matrixRow(source, nearestRow(partitions, partition)), projection, block);
    }
  }

  #finish(blocks: Float64Array, sketch: CountSketch): Float64Array {
    const out = new Float64Array(this.length);
    addSketch(blocks, sketch, out);
    return out;
  }
}

/** The first vector of those whose signs differ least from those of a partition. */
function nearestRow(partitions: Uint32Array, partition: number): number {
  let [nearest, least] = [0, Number.POSITIVE_INFINITY];
  for (let row = 0; row < partitions.length; row++) {
    const distance = ones(grayCode(partition) ^ grayCode(partitions[row]!));
    if (distance < least) [nearest, least] = [row, distance];
  }
  return nearest;
}

function grayCode(number: number): number {
  return number ^ (number >>> 1);
}

/** Bits of a whole number below 2^31 that are set. */
function ones(bits: number): number {
  let count = 0;
  for (let rest = bits; rest !== 0; rest &= rest - 1) count++;
  return count;
}

function countSketch(from: number, to: number, random: SeededRandom): CountSketch {
  const places = new Uint32Array(from);
  const signs = new Int8Array(from);
  for (let i = 0; i < from; i++) {
    places[i] = random.integer(0, to - 1);
    signs[i] = random.chance(0.5) ? 1 : -1;
  }
  return { places, signs };
}

function identity(length: number): CountSketch {
  return { places: Uint32Array.from({ length }, (_, i) => i), signs: new Int8Array(length).fill(1) };
}

function addSketch(
  vector: Float32Array | Float64Array,
  { places, signs }: CountSketch,
  out: Float64Array,
): void {
  for (let i = 0; i < vector.length; i++) out[places[i]!]! += signs[i]! * vector[i]!;
}
