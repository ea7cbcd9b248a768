import { GranuleError } from '../errors.js';
import { checkIndexOptions, checkKeys, checkSignal, checkVectors } from '../index/arguments.js';
import { FlatIndex } from '../index/flat-index.js';
import { referenceNorm } from '../index/pooled-bounds.js';
import { SeededRandom } from '../ranking/seeded-random.js';
import { type Matrix, matrix, matrixRow } from '../vectors/matrix.js';
import { EventLoopTurns } from './event-loop-turns.js';
import { checkSeed, checkWholeNumber } from './option-checks.js';

/** Numbers that are assigned at a time: what the JavaScript thread does with them takes less than a millisecond. */
const CHUNK_NUMBERS = 2 ** 18;

/** Rows between two looks at the clock. */
const ROWS_PER_LOOK = 256;

/** What assigning vectors to centroids needs to know beside them. */
export interface AssignmentOptions {
  /** `l2`, the default, or `cosine`. */
  readonly metric?: 'l2' | 'cosine' | undefined;
  /** Most threads; 0, the default, means one per core. Results do not depend on it. */
  readonly threads?: number | undefined;
  /** Stops the work. */
  readonly signal?: AbortSignal | undefined;
}

/** Options of `kMeans`. */
export interface KMeansOptions extends AssignmentOptions {
  /** Clusters to start with, at least 1; at most as many as vectors are used. */
  readonly clusters: number;
  /** Most rounds; 10 by default. */
  readonly rounds?: number | undefined;
  /** A whole number; 1 by default. */
  readonly seed?: number | undefined;
}

/** Vectors in clusters. */
export interface Clusters {
  /** As many as clusters were asked for, or fewer: every one has a vector. */
  readonly centroids: Matrix;
  /** Per vector its nearest centroid. */
  readonly assignments: Uint32Array;
}

/**
 * Lloyd's k-means. It starts from vectors drawn without repeats; a round moves every centroid to the mean of its vectors and
 * assigns each vector to its nearest centroid, the first of equal ones; it ends when no vector moves. Means are added in
 * float64 in the order of the rows. A cluster that lost its last vector starts again at one drawn at random, and those that
 * have none at the end are left out.
 *
 * `cosine` is spherical k-means: vectors count by their directions, and centroids are unit vectors. Nearest centroids are found
 * by `FlatIndex`, exactly; so equal seeds give the same bits with every number of threads.
 *
 * O(rounds n clusters d). Least squares quantization in PCM (1982); Concept decompositions for large sparse text data using
 * clustering (2001).
 *
 * @param vectors - n x d finite values, at least one row
 * @throws GranuleError `INVALID_ARGUMENT`, `DIMENSION_INVALID`, `LENGTH_MISMATCH`, `EMPTY_INDEX` without vectors, `NOT_FINITE`,
 * `OUT_OF_MEMORY`, `ABORTED`
 */
export async function kMeans(vectors: Matrix, options: KMeansOptions): Promise<Clusters> {
  checkKeys(options, ['clusters', 'metric', 'rounds', 'seed', 'threads', 'signal']);
  const { metric = 'l2', threads = 0 } = options;
  checkMetric(metric);
  const signal = checkSignal(options.signal);
  const asked = checkWholeNumber(options.clusters, 1, 'clusters');
  const rounds = checkWholeNumber(options.rounds ?? 10, 0, 'rounds');
  const random = new SeededRandom(checkSeed(options.seed ?? 1));
  const source = checkFinite(vectors);
  if (source.rows === 0) throw new GranuleError('EMPTY_INDEX', 'there are no vectors to cluster');

  const centroids = rowsOf(source, drawRows(source.rows, Math.min(asked, source.rows), random));
  const how = { metric, threads, signal };
  if (metric === 'cosine') normaliseRows(centroids);
  let assignments = await assignToNearest(source, centroids, how);
  for (let round = 0; round < rounds; round++) {
    await moveCentroids(source, assignments, centroids, how, random);
    const next = await assignToNearest(source, centroids, how);
    const settled = next.every((cluster, row) => cluster === assignments[row]);
    assignments = next;
    if (settled) break;
  }
  return withoutEmpty(centroids, assignments);
}

/**
 * Per vector its nearest centroid by squared distance or cosine, the first of equal ones. O(n clusters d), on threads of the
 * engine.
 *
 * @throws GranuleError `INVALID_ARGUMENT`, `DIMENSION_INVALID`, `LENGTH_MISMATCH`, `EMPTY_INDEX`, `NOT_FINITE`, `OUT_OF_MEMORY`, `ABORTED`
 */
export async function assignToNearest(
  vectors: Matrix,
  centroids: Matrix,
  options: AssignmentOptions = {},
): Promise<Uint32Array> {
  checkKeys(options, ['metric', 'threads', 'signal']);
  const { metric = 'l2', threads = 0 } = options;
  checkMetric(metric);
  const signal = checkSignal(options.signal);
  const data = checkVectors(vectors, centroids.columns, 'vectors');
  const { columns } = centroids;
  const assignments = new Uint32Array(data.length / columns);
  const index = new FlatIndex({ dimension: columns, metric, threads });
  try {
    await index.add(centroids);
    const chunk = Math.max(1, Math.floor(CHUNK_NUMBERS / columns));
    for (let row = 0; row < assignments.length; row += chunk) {
      const queries = data.subarray(row * columns, (row + chunk) * columns);
      assignments.set((await index.search(queries, { k: 1, signal })).rows, row);
    }
  } finally {
    index.dispose();
  }
  return assignments;
}

/** Moves every centroid to the mean of its vectors; of directions whose sum is zero, the centroid stays. */
async function moveCentroids(
  vectors: Matrix,
  assignments: Uint32Array,
  centroids: Matrix,
  { metric, signal }: AssignmentOptions,
  random: SeededRandom,
): Promise<void> {
  const { columns } = vectors;
  const turns = new EventLoopTurns(signal);
  const sums = new Float64Array(centroids.data.length);
  const sizes = new Uint32Array(centroids.rows);
  for (const [row, cluster] of assignments.entries()) {
    if (row % ROWS_PER_LOOK === 0 && turns.over) await turns.pass();
    sizes[cluster]!++;
    const vector = matrixRow(vectors, row);
    const weight = metric === 'cosine' ? 1 / (referenceNorm(vector) || 1) : 1;
    const at = cluster * columns;
    for (let d = 0; d < columns; d++) sums[at + d]! += vector[d]! * weight;
  }
  for (const [cluster, size] of sizes.entries()) {
    const centroid = matrixRow(centroids, cluster);
    if (size === 0) {
      centroid.set(matrixRow(vectors, random.integer(0, vectors.rows - 1)));
      continue;
    }
    const sum = sums.subarray(cluster * columns, (cluster + 1) * columns);
    const divisor = metric === 'cosine' ? referenceNorm(sum) : size;
    if (divisor > 0) for (let d = 0; d < columns; d++) centroid[d] = sum[d]! / divisor;
  }
  if (metric === 'cosine') normaliseRows(centroids);
}

/** Takes out centroids without vectors; the others keep their order. */
function withoutEmpty(centroids: Matrix, assignments: Uint32Array): Clusters {
  const used = new Uint8Array(centroids.rows);
  for (const cluster of assignments) used[cluster] = 1;
  const kept = [...used.keys()].filter((cluster) => used[cluster] === 1);
  const places = new Uint32Array(centroids.rows);
  for (const [place, cluster] of kept.entries()) places[cluster] = place;
  return {
    centroids: rowsOf(centroids, Uint32Array.from(kept)),
    assignments: assignments.map((cluster) => places[cluster]!),
  };
}

/** `count` different row numbers, in random order. */
export function drawRows(rows: number, count: number, random: SeededRandom): Uint32Array {
  const order = Uint32Array.from({ length: rows }, (_, row) => row);
  for (let i = 0; i < count; i++) {
    const j = random.integer(i, rows - 1);
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  return order.slice(0, count);
}

/** A copy of some rows, in that order. */
export function rowsOf(source: Matrix, rows: Uint32Array): Matrix {
  const copy = matrix(new Float32Array(rows.length * source.columns), source.columns);
  for (const [place, row] of rows.entries()) matrixRow(copy, place).set(matrixRow(source, row));
  return copy;
}

/** Divides every row by its norm; a row of zeros stays what it is. */
export function normaliseRows(vectors: Matrix): void {
  for (let row = 0; row < vectors.rows; row++) {
    const vector = matrixRow(vectors, row);
    const norm = referenceNorm(vector);
    if (norm > 0) for (let d = 0; d < vector.length; d++) vector[d]! /= norm;
  }
}

/** @throws GranuleError `INVALID_ARGUMENT`, `DIMENSION_INVALID`, `LENGTH_MISMATCH`, `NOT_FINITE` */
export function checkFinite(vectors: Matrix): Matrix {
  const { columns } = vectors;
  checkIndexOptions({ dimension: columns });
  const data = checkVectors(vectors, columns, 'vectors');
  const wrong = data.findIndex((value) => !Number.isFinite(value));
  if (wrong !== -1) {
    const [row, column] = [Math.floor(wrong / columns), wrong % columns];
    throw new GranuleError('NOT_FINITE', `vectors has ${data[wrong]} in row ${row}, column ${column}`, {
      row,
      column,
    });
  }
  return matrix(data, columns);
}

function checkMetric(metric: string): void {
  if (metric !== 'l2' && metric !== 'cosine') {
    throw new GranuleError('INVALID_ARGUMENT', `metric must be l2 or cosine, got ${metric}`);
  }
}
