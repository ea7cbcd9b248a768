import { GranuleError } from '../errors.js';
import { reciprocalRankFusion } from '../fusion/reciprocal-rank-fusion.js';
import { checkKeys, checkQueries, checkTemperature, show } from '../index/arguments.js';
import type { RankedList } from '../ranking/ranked-list.js';
import { dot } from '../vectors/dot.js';
import { type Matrix, matrix, matrixRow } from '../vectors/matrix.js';

/** The mean of the training queries of each modality: plain data, to be stored. */
export interface ModalityCentroids {
  /** In the order in which they were first met. */
  readonly modalities: readonly string[];
  /** Modalities x d, of unit length. */
  readonly centroids: Matrix;
}

/** Options of `routeByModality`. */
export interface RoutingOptions {
  /** Of the softmax over cosines, above 0; 0.05 by default. */
  readonly temperature?: number | undefined;
  /** Least probability of the best modality, 0 to 1; 0.5 by default. */
  readonly confidence?: number | undefined;
}

/** Where to look for a query's answer. */
export interface ModalityRoute {
  /** The likeliest modality alone, or all of them where that is not likely enough: likeliest first. */
  readonly modalities: readonly string[];
  /** Of each modality, in the order of the centroids. */
  readonly probabilities: Float64Array;
}

/**
 * Learns where queries go: the mean of the unit vectors of each modality's queries, brought to unit length. O(n d).
 *
 * @param queries - n x d: queries whose modality is known
 * @param modalities - one per query
 * @throws GranuleError `INVALID_ARGUMENT`, `LENGTH_MISMATCH`, `NOT_FINITE`, also where a vector or a mean is zero: it has no direction
 */
export function modalityCentroids(queries: Matrix, modalities: readonly string[]): ModalityCentroids {
  checkQueries(queries, queries.columns, 'queries');
  if (modalities.length !== queries.rows) {
    throw new GranuleError('LENGTH_MISMATCH', `${queries.rows} queries have ${modalities.length} modalities`);
  }
  const sums = new Map<string, Float64Array>();
  for (const [i, modality] of modalities.entries()) {
    const sum = sums.get(modality) ?? new Float64Array(queries.columns);
    sums.set(modality, sum);
    for (const [k, value] of unit(matrixRow(queries, i), `query ${i}`).entries()) sum[k]! += value;
  }
  const data = new Float32Array(sums.size * queries.columns);
  let next = 0;
  for (const [modality, sum] of sums)
    data.set(unit(sum, `the mean of '${modality}'`), next++ * queries.columns);
  return { modalities: [...sums.keys()], centroids: matrix(data, queries.columns) };
}

/**
 * Chooses the modality whose centroid is nearest by cosine: p = softmax(cos(q, c_m) / T). Where the best has less than `confidence` the
 * query goes to all modalities, never to one by chance; fuse what they find with `fuseRoute`. Equal probabilities: the earlier
 * modality. O(modalities x d).
 *
 * The task is that of "UniversalRAG: Retrieval-Augmented Generation over Corpora of Diverse Modalities and Granularities" (2025), whose
 * released code sends a query to a random modality where its router fails.
 *
 * @throws GranuleError `INVALID_ARGUMENT`, `LENGTH_MISMATCH`, `TEMPERATURE_INVALID`, `NOT_FINITE`, also for a query of zeros
 */
export function routeByModality(
  query: Float32Array,
  { modalities, centroids }: ModalityCentroids,
  options: RoutingOptions = {},
): ModalityRoute {
  checkKeys(options, ['temperature', 'confidence']);
  const { confidence = 0.5 } = options;
  const temperature = checkTemperature(options.temperature ?? 0.05);
  if (typeof confidence !== 'number' || !(confidence >= 0 && confidence <= 1)) {
    throw new GranuleError(
      'INVALID_ARGUMENT',
      `confidence must be a number from 0 to 1, got ${show(confidence)}`,
    );
  }
  checkQueries(centroids, query.length, 'centroids');
  if (centroids.rows !== modalities.length) {
    throw new GranuleError(
      'LENGTH_MISMATCH',
      `${modalities.length} modalities have ${centroids.rows} centroids`,
    );
  }
  const direction = unit(query, 'query');
  const cosines = modalities.map((_, m) => dot(matrixRow(centroids, m), direction));
  const greatest = Math.max(...cosines);
  const terms = cosines.map((cosine) => Math.exp((cosine - greatest) / temperature));
  const sum = terms.reduce((total, term) => total + term, 0);
  const probabilities = Float64Array.from(terms, (term) => term / sum);
  const order = [...modalities.keys()].sort((a, b) => probabilities[b]! - probabilities[a]! || a - b);
  const sure = probabilities[order[0]!]! >= confidence;
  return { modalities: (sure ? order.slice(0, 1) : order).map((m) => modalities[m]!), probabilities };
}

/**
 * The result of a routed query: the list of its one modality, or the reciprocal rank fusion (k = 60) of those of all, which needs no
 * common scale of scores. Rows are those of one corpus over all modalities.
 *
 * @param lists - by modality; one that is missing counts as empty
 * @throws GranuleError `INVALID_ARGUMENT`
 */
export function fuseRoute(route: ModalityRoute, lists: Readonly<Record<string, RankedList>>): RankedList {
  const nothing: RankedList = { rows: new Uint32Array(0), scores: new Float64Array(0) };
  const found = route.modalities.map((modality) =>
    Object.hasOwn(lists, modality) ? lists[modality]! : nothing,
  );
  return found.length === 1 ? found[0]! : reciprocalRankFusion(found);
}

function unit(vector: ArrayLike<number>, name: string): Float64Array {
  const length = Math.sqrt(dot(vector, vector));
  if (!(length > 0 && length < Infinity)) {
    throw new GranuleError('NOT_FINITE', `${name} has length ${length} and so no direction`);
  }
  return Float64Array.from(vector, (value) => value / length);
}
