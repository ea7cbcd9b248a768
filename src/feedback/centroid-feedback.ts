import { GranuleError } from '../errors.js';
import { checkBoolean, checkFloat32, checkKeys, checkSignal, show } from '../index/arguments.js';
import { type PooledVectors, poolVectors } from '../index/pool-vectors.js';
import { type Matrix, matrix, matrixRow } from '../vectors/matrix.js';
import { checkFeedback, rounded } from './feedback-vectors.js';

/** Options of `centroidFeedback`. */
export interface CentroidFeedbackOptions {
  /** Groups that the feedback vectors are divided into: a positive integer, 24 by default. */
  readonly clusters?: number | undefined;
  /** Most centroids that are added to the query: an integer of at least 0, 10 by default. */
  readonly add?: number | undefined;
  /** Weight of all centroids against the query's own vectors: finite, at least 0, 1 by default. */
  readonly beta?: number | undefined;
  /** What each feedback vector is worth, at least 0, such as the idf of its token: as many as feedback vectors. 1 each by default. */
  readonly importance?: ArrayLike<number> | undefined;
  /** Divides centroids by their norms before they are weighted; false by default, as published. */
  readonly normalise?: boolean | undefined;
  /** Stops the work. */
  readonly signal?: AbortSignal | undefined;
}

/** A query with more vectors. */
export interface CentroidFeedback {
  /** The query's vectors, then the centroids times their weights, for an index with metric `ip`. */
  readonly query: Matrix;
  /** Weights of the centroids that were added, descending. */
  readonly weights: Float64Array;
}

/**
 * Pseudo-relevance feedback for late interaction: the feedback documents' vectors are divided into groups by k-means with a fixed
 * seed, and the centroids of the most important groups become further query vectors. A group is worth the importance of the member
 * nearest to its centroid, and its centroid weighs beta times that; of equal groups the one with more members comes first, then the
 * one with the lowest member. Groups worth nothing are left out; with no more vectors than groups each is a group of its own.
 *
 * For weights of at least 0, max_j <w c, x_j> = w max_j <c, x_j>: the weighted centroids make the sum of maxima a weighted one. An
 * index with metric `cosine` would take the weights away again. O(n clusters d) a round for n feedback vectors, on threads of the engine; the
 * same bits on every machine.
 *
 * Source: Wang et al., "Pseudo-Relevance Feedback for Multiple Representation Dense Retrieval" (2021), which weighs by idf and
 * takes three documents, 24 clusters and 10 centroids.
 *
 * @param query - vectors x d
 * @param feedback - n x d, the vectors of all documents that are taken to be relevant; none leave the query as it is
 * @throws GranuleError `INVALID_ARGUMENT`, `LENGTH_MISMATCH`, `NOT_FINITE`, `OUT_OF_MEMORY`, `ABORTED`
 */
export async function centroidFeedback(
  query: Matrix,
  feedback: Matrix,
  options: CentroidFeedbackOptions = {},
): Promise<CentroidFeedback> {
  checkKeys(options, ['clusters', 'add', 'beta', 'importance', 'normalise', 'signal']);
  const { clusters = 24, add = 10, beta = 1, normalise = false } = options;
  const signal = checkSignal(options.signal);
  checkBoolean(normalise, 'normalise');
  checkCount(clusters, 1, 'clusters');
  checkCount(add, 0, 'add');
  if (!Number.isFinite(beta) || beta < 0) {
    throw new GranuleError(
      'INVALID_ARGUMENT',
      `beta must be a finite number of at least 0, got ${show(beta)}`,
    );
  }
  const dimension = query.columns;
  checkFloat32(query.data, 'query.data');
  checkFeedback(feedback, dimension);
  const importance = checkImportance(options.importance, feedback.rows);
  if (feedback.rows === 0) {
    return { query: matrix(query.data.slice(), dimension), weights: new Float64Array() };
  }

  const pooled = await poolVectors(feedback, Uint32Array.of(feedback.rows), {
    dimension,
    method: 'kmeans',
    count: clusters,
    signal,
  });
  const groups = Array.from({ length: pooled.vectors.rows }, (_, group) => ({
    centroid: matrixRow(pooled.vectors, group),
    weight: beta * importance[nearestMember(pooled, group, feedback)]!,
    members: pooled.members.offsets[group + 1]! - pooled.members.offsets[group]!,
  }));
  const chosen = groups
    .filter(({ weight }) => weight > 0)
    .sort((a, b) => b.weight - a.weight || b.members - a.members)
    .slice(0, add);

  const vectors = new Float32Array(query.data.length + chosen.length * dimension);
  vectors.set(query.data);
  for (const [i, { centroid, weight }] of chosen.entries()) {
    const direction = rounded(Float64Array.from(centroid), normalise);
    vectors.set(
      direction.map((value) => value * weight),
      query.data.length + i * dimension,
    );
  }
  return { query: matrix(vectors, dimension), weights: Float64Array.from(chosen, ({ weight }) => weight) };
}

/** The member at the least distance from its centroid, the lowest of equal ones. */
function nearestMember({ vectors, members }: PooledVectors, group: number, feedback: Matrix): number {
  const centroid = matrixRow(vectors, group);
  let nearest = -1;
  let least = Number.POSITIVE_INFINITY;
  for (let at = members.offsets[group]!; at < members.offsets[group + 1]!; at++) {
    const row = members.rows[at]!;
    const distance = matrixRow(feedback, row).reduce((sum, value, i) => sum + (value - centroid[i]!) ** 2, 0);
    if (distance < least || nearest === -1) {
      nearest = row;
      least = distance;
    }
  }
  return nearest;
}

function checkCount(count: number, least: number, name: string): void {
  if (!Number.isSafeInteger(count) || count < least) {
    throw new GranuleError(
      'INVALID_ARGUMENT',
      `${name} must be an integer of at least ${least}, got ${show(count)}`,
    );
  }
}

function checkImportance(importance: ArrayLike<number> | undefined, vectors: number): ArrayLike<number> {
  if (importance === undefined) return new Float64Array(vectors).fill(1);
  if (importance.length !== vectors) {
    throw new GranuleError(
      'LENGTH_MISMATCH',
      `${vectors} feedback vectors have ${importance.length} importances`,
      { vectors, length: importance.length },
    );
  }
  for (let i = 0; i < vectors; i++) {
    if (!Number.isFinite(importance[i]) || importance[i]! < 0) {
      throw new GranuleError(
        'INVALID_ARGUMENT',
        `importance must be finite and at least 0, got ${show(importance[i])} at ${i}`,
      );
    }
  }
  return Float64Array.from(importance);
}
