import { GranuleError } from '../../errors.js';
import { checkFloat32 } from '../../index/arguments.js';
import { type Matrix, matrix, matrixRow } from '../../vectors/matrix.js';
import { normaliseRows } from '../k-means.js';

/** Bits per number that a residual may take: those that divide a byte. */
export type ResidualBits = 1 | 2 | 4;

/** How a unit vector becomes the number of a centroid and a few bits per number. */
export interface ResidualCodec {
  /** Unit vectors. */
  readonly centroids: Matrix;
  readonly bits: ResidualBits;
  /** 2^bits - 1 limits between buckets, ascending: bucket b holds residuals above limit b - 1, up to limit b. */
  readonly cutoffs: Float32Array;
  /** 2^bits values: what the residuals of a bucket are taken for. */
  readonly values: Float32Array;
}

/** Vectors as the codec keeps them. */
export interface ResidualCodes {
  /** Per vector its centroid. */
  readonly centroids: Uint32Array;
  /** Per vector ceil(d bits / 8) bytes: the buckets of its residual, the first in the lowest bits. */
  readonly residuals: Uint8Array;
}

/**
 * Buckets of equal share for the numbers of residuals, all dimensions alike: cutoffs are the quantiles at i / 2^bits, values those
 * at (i + 1/2) / 2^bits, between neighbours linear. O(n log n).
 *
 * ColBERTv2: Effective and Efficient Retrieval via Lightweight Late Interaction (2022).
 *
 * @param residuals - at least one number, finite; left as they are
 * @throws GranuleError `INVALID_ARGUMENT`, `LENGTH_MISMATCH` without numbers
 */
export function residualBuckets(
  residuals: Float32Array,
  bits: ResidualBits,
): Pick<ResidualCodec, 'cutoffs' | 'values'> {
  const count = 2 ** checkBits(bits);
  const sorted = checkFloat32(residuals, 'residuals').slice().sort();
  if (sorted.length === 0) throw new GranuleError('LENGTH_MISMATCH', 'there are no residuals');
  return {
    cutoffs: Float32Array.from({ length: count - 1 }, (_, i) => quantile(sorted, (i + 1) / count)),
    values: Float32Array.from({ length: count }, (_, i) => quantile(sorted, (i + 0.5) / count)),
  };
}

/**
 * The buckets of vectors whose centroids are known. O(n d 2^bits).
 *
 * @param vectors - n x d
 * @param assignments - n numbers of centroids
 * @returns n x ceil(d bits / 8) bytes
 */
export function encodeResiduals(codec: ResidualCodec, vectors: Matrix, assignments: Uint32Array): Uint8Array {
  const { centroids, bits, cutoffs } = codec;
  const width = residualBytes(codec);
  const packed = new Uint8Array(vectors.rows * width);
  for (let row = 0; row < vectors.rows; row++) {
    const vector = matrixRow(vectors, row);
    const centroid = matrixRow(centroids, assignments[row]!);
    for (let d = 0; d < vector.length; d++) {
      const residual = Math.fround(vector[d]! - centroid[d]!);
      let bucket = 0;
      while (bucket < cutoffs.length && residual > cutoffs[bucket]!) bucket++;
      const bit = d * bits;
      packed[row * width + (bit >>> 3)]! |= bucket << (bit & 7);
    }
  }
  return packed;
}

/**
 * What the codes of some rows stand for: centroid plus residual, divided by its norm. O(n d).
 *
 * @param rows - rows of the codes, in any order
 * @returns rows.length x d
 */
export function decodeResiduals(codec: ResidualCodec, codes: ResidualCodes, rows: Uint32Array): Matrix {
  const { centroids, bits, values } = codec;
  const width = residualBytes(codec);
  const mask = 2 ** bits - 1;
  const decoded = matrix(new Float32Array(rows.length * centroids.columns), centroids.columns);
  for (const [place, row] of rows.entries()) {
    const centroid = matrixRow(centroids, codes.centroids[row]!);
    const vector = matrixRow(decoded, place);
    for (let d = 0; d < vector.length; d++) {
      const bit = d * bits;
      const byte = codes.residuals[row * width + (bit >>> 3)]!;
      vector[d] = centroid[d]! + values[(byte >>> (bit & 7)) & mask]!;
    }
  }
  normaliseRows(decoded);
  return decoded;
}

/** Bytes of one residual. */
function residualBytes({ centroids, bits }: ResidualCodec): number {
  return Math.ceil((centroids.columns * bits) / 8);
}

/** @throws GranuleError `INVALID_ARGUMENT` */
export function checkBits(bits: ResidualBits): ResidualBits {
  if (bits !== 1 && bits !== 2 && bits !== 4) {
    throw new GranuleError('INVALID_ARGUMENT', `bits must be 1, 2 or 4, got ${bits}`);
  }
  return bits;
}

function quantile(sorted: Float32Array, share: number): number {
  const place = share * (sorted.length - 1);
  const below = Math.floor(place);
  const above = Math.min(below + 1, sorted.length - 1);
  return sorted[below]! + (place - below) * (sorted[above]! - sorted[below]!);
}
