import { GranuleError } from '../../errors.js';
import { checkIndexOptions, checkUint32, checkVectors } from '../../index/arguments.js';
import type { PooledVectors } from '../../index/pool-vectors.js';
import { float32AtLeast, referenceNorm } from '../../index/pooled-bounds.js';
import type { Metric } from '../../native/addon-types.js';
import { type Matrix, matrix, matrixRow } from '../../vectors/matrix.js';

/** What every pooling is told of the vectors. */
export interface DocumentVectorOptions {
  /** Numbers per vector, 1 to 65,536. */
  readonly dimension: number;
  /** `cosine` pools the normalised vectors and normalises the means; `ip`, the default, and `l2` take them as they are. */
  readonly metric?: Metric | undefined;
}

/** The vectors of documents as an index of the metric keeps them. */
export interface DocumentVectors {
  readonly vectors: Matrix;
  readonly lengths: Uint32Array;
  readonly metric: Metric;
}

/**
 * Copies and checks documents.
 *
 * @throws GranuleError `INVALID_ARGUMENT`, `DIMENSION_INVALID`, `LENGTH_MISMATCH`, `EMPTY_DOCUMENT` (`details.row` in
 * `lengths`), `NOT_FINITE` (`details.row` and `.column` in `vectors`)
 */
export function documentVectors(
  vectors: Float32Array | Matrix,
  lengths: Uint32Array,
  { dimension, metric = 'ip' }: DocumentVectorOptions,
): DocumentVectors {
  checkIndexOptions({ dimension, metric });
  const data = checkVectors(vectors, dimension, 'vectors').slice();
  const ownLengths = checkUint32(lengths, 'lengths').slice();
  const empty = ownLengths.indexOf(0);
  if (empty !== -1) {
    throw new GranuleError('EMPTY_DOCUMENT', `document ${empty} has no vectors`, { row: empty });
  }
  const sum = ownLengths.reduce((a, b) => a + b, 0);
  if (sum * dimension !== data.length) {
    throw new GranuleError(
      'LENGTH_MISMATCH',
      `the lengths add up to ${sum} vectors, but there are ${data.length / dimension}`,
      { sum, vectors: data.length / dimension },
    );
  }
  const wrong = data.findIndex((value) => !Number.isFinite(value));
  if (wrong !== -1) {
    const [row, column] = [Math.floor(wrong / dimension), wrong % dimension];
    throw new GranuleError('NOT_FINITE', `vectors has ${data[wrong]} in row ${row}, column ${column}`, {
      row,
      column,
    });
  }
  const own = matrix(data, dimension);
  if (metric === 'cosine') for (let row = 0; row < own.rows; row++) normalise(matrixRow(own, row));
  return { vectors: own, lengths: ownLengths, metric };
}

/**
 * Pools documents whose groups are known. A pooled vector is the mean of its members in float64, for `cosine` normalised
 * afterwards, rounded once to float32, as `poolVectors` makes it; or its lowest member.
 *
 * @param leaders - per row the lowest row of its group; a row that leads its group names itself
 */
export function pooledByLeaders(
  { vectors, lengths, metric }: DocumentVectors,
  leaders: Uint32Array,
  kept: 'mean' | 'leader' = 'mean',
): PooledVectors {
  const groupOf = new Uint32Array(leaders.length);
  const pooledLengths = new Uint32Array(lengths.length);
  const sizes: number[] = [];
  let row = 0;
  for (const [document, length] of lengths.entries()) {
    for (const end = row + length; row < end; row++) {
      if (leaders[row] === row) {
        groupOf[row] = sizes.length;
        sizes.push(1);
        pooledLengths[document]!++;
      } else {
        const group = groupOf[leaders[row]!]!;
        groupOf[row] = group;
        sizes[group]!++;
      }
    }
  }
  const offsets = new Uint32Array(sizes.length + 1);
  for (const [group, size] of sizes.entries()) offsets[group + 1] = offsets[group]! + size;
  const rows = new Uint32Array(leaders.length);
  const next = offsets.slice();
  for (const [member, group] of groupOf.entries()) rows[next[group]!++] = member;

  const pooled = matrix(new Float32Array(sizes.length * vectors.columns), vectors.columns);
  const radii = new Float32Array(sizes.length);
  for (let group = 0; group < sizes.length; group++) {
    const members = rows.subarray(offsets[group], offsets[group + 1]);
    const vector = matrixRow(pooled, group);
    if (members.length === 1 || kept === 'leader') vector.set(matrixRow(vectors, members[0]!));
    else vector.set(meanOf(vectors, members, metric));
    radii[group] = radiusOf(vectors, members, vector);
  }
  return { vectors: pooled, lengths: pooledLengths, members: { offsets, rows }, radii, metric };
}

function meanOf(vectors: Matrix, members: Uint32Array, metric: Metric): Float64Array {
  const mean = new Float64Array(vectors.columns);
  for (const member of members) {
    const vector = matrixRow(vectors, member);
    for (let d = 0; d < mean.length; d++) mean[d]! += vector[d]!;
  }
  for (let d = 0; d < mean.length; d++) mean[d]! /= members.length;
  if (metric === 'cosine') normalise(mean);
  return mean;
}

/** A vector of zeros stays what it is. */
function normalise(vector: Float32Array | Float64Array): void {
  const norm = referenceNorm(vector);
  if (norm > 0) for (let d = 0; d < vector.length; d++) vector[d]! /= norm;
}

/**
 * At least the greatest distance of a member, as float32. In float64 differences, squares, their sum over eight lanes and the root
 * err together by less than a factor of 1 + 2^-40; 1 + 2^-36 covers them, and the last rounding goes up.
 */
function radiusOf(vectors: Matrix, members: Uint32Array, centre: Float32Array): number {
  const difference = new Float64Array(centre.length);
  let greatest = 0;
  for (const member of members) {
    const vector = matrixRow(vectors, member);
    for (let d = 0; d < centre.length; d++) difference[d] = vector[d]! - centre[d]!;
    greatest = Math.max(greatest, referenceNorm(difference));
  }
  return float32AtLeast(greatest * (1 + 2 ** -36));
}
