import { types } from 'node:util';
import { GranuleError } from '../../errors.js';
import { checkKeys, checkTemperature, show } from '../../index/arguments.js';
import { logSumExp } from '../../vectors/log-sum-exp.js';
import { temperatureGradient } from './log-softmax.js';
import {
  checkChoice,
  checkFloats,
  checkLength,
  checkPositives,
  type Floats,
  type TemperatureOption,
  type TemperedLoss,
} from './loss-arguments.js';

/** Options of {@link inBatchContrast}. */
export interface InBatchContrastOptions extends TemperatureOption {
  /** n, the rows of the matrix. */
  readonly queries: number;
  /** The column of each query's positive; column i for query i by default, and columns from n on are hard negatives. */
  readonly positives?: ArrayLike<number> | undefined;
  /** n x m, 1 where a document is no negative of a query: what it is worth is not known, or it is a copy of the positive. */
  readonly excluded?: Uint8Array | undefined;
  /** `both`, the default, is the mean of the two directions. */
  readonly direction?: 'query-to-document' | 'document-to-query' | 'both' | undefined;
}

/**
 * InfoNCE within a batch: scores s of n queries and m >= n documents, d(i) the positive of query i, x excluded pairs.
 *
 *     query to document   L = -1/n sum_i ln ( exp(s_i,d(i) / t) / sum over documents j, not x_ij, of exp(s_ij / t) )
 *     document to query   L = -1/n sum_i ln ( exp(s_i,d(i) / t) / sum over queries k, not x_k,d(i), of exp(s_k,d(i) / t) )
 *
 * Queries with the same positive do not compete for it in the second; hard negatives, which are nobody's positive, appear in the first
 * only. dL/ds_ij = (p_ij - [j = d(i)]) / (n t) in each direction. O(n (n + m)).
 *
 * Sources: "Learning Transferable Visual Models From Natural Language Supervision" (2021) with both directions; "Dense Passage
 * Retrieval for Open-Domain Question Answering" (2020) with one and hard negatives. The entity encoder of MiRAG is trained so (its
 * equation 7), t learned.
 *
 * @param scores - n x m, row-major
 * @returns the gradient, n x m; 0 at excluded pairs
 * @throws GranuleError `INVALID_ARGUMENT`, `LENGTH_MISMATCH`, `NOT_FINITE`, `TEMPERATURE_INVALID`; `TARGET_INVALID` where a query's
 * positive is excluded
 */
export function inBatchContrast(scores: Floats, options: InBatchContrastOptions): TemperedLoss {
  checkKeys(options, ['temperature', 'queries', 'positives', 'excluded', 'direction']);
  const s = checkFloats(scores, 'scores');
  const batch = checkBatch(s.length, options);
  const temperature = checkTemperature(options.temperature ?? 1);
  const directions = ['query-to-document', 'document-to-query', 'both'] as const;
  const direction = checkChoice(options.direction ?? 'both', directions, 'direction');
  const gradient = new Float64Array(s.length);
  const weight = (direction === 'both' ? 0.5 : 1) / batch.queries;
  let loss = 0;
  for (let query = 0; query < batch.queries; query++) {
    const positive = query * batch.documents + batch.positives[query]!;
    if (direction !== 'document-to-query') {
      loss += weight * contrast(s, documentsOf(batch, query), positive, temperature, weight, gradient);
    }
    if (direction !== 'query-to-document') {
      loss += weight * contrast(s, queriesOf(batch, query), positive, temperature, weight, gradient);
    }
  }
  return { loss, gradient, temperatureGradient: temperatureGradient(s, gradient, temperature) };
}

interface Batch {
  readonly queries: number;
  readonly documents: number;
  readonly positives: ArrayLike<number>;
  readonly excluded: Uint8Array | undefined;
}

/** Places in the matrix of the documents among which `query` has to find its positive. */
function documentsOf({ documents, excluded }: Batch, query: number): number[] {
  const places = Array.from({ length: documents }, (_, j) => query * documents + j);
  return places.filter((place) => excluded?.[place] !== 1);
}

/** Places in the matrix of the queries among which the positive of `query` has to find it. */
function queriesOf({ queries, documents, positives, excluded }: Batch, query: number): number[] {
  const document = positives[query]!;
  return Array.from({ length: queries }, (_, k) => k)
    .filter((k) => k === query || positives[k] !== document)
    .map((k) => k * documents + document)
    .filter((place) => excluded?.[place] !== 1);
}

/** -ln p of one place among several; adds its gradient times `weight`. */
function contrast(
  scores: Float64Array,
  places: readonly number[],
  positive: number,
  temperature: number,
  weight: number,
  gradient: Float64Array,
): number {
  const relative = Float64Array.from(places, (place) => (scores[place]! - scores[positive]!) / temperature);
  const normaliser = logSumExp(relative);
  if (!Number.isFinite(normaliser)) {
    throw new GranuleError('NOT_FINITE', `scores lie too far apart for the temperature ${temperature}`);
  }
  for (const [i, place] of places.entries()) {
    const share = Math.exp(relative[i]! - normaliser) - (place === positive ? 1 : 0);
    gradient[place]! += (weight * share) / temperature;
  }
  return normaliser;
}

function checkBatch(length: number, options: InBatchContrastOptions): Batch {
  const { queries, excluded } = options;
  if (!Number.isSafeInteger(queries) || queries < 1) {
    throw new GranuleError(
      'INVALID_ARGUMENT',
      `queries must be a whole number above 0, got ${show(queries)}`,
    );
  }
  const documents = length / queries;
  if (!Number.isInteger(documents)) {
    throw new GranuleError('LENGTH_MISMATCH', `${length} scores do not make rows of ${queries} queries`, {
      length,
    });
  }
  const positives = options.positives ?? Array.from({ length: queries }, (_, query) => query);
  checkPositives(positives, queries, documents);
  if (excluded !== undefined) {
    if (!types.isUint8Array(excluded)) {
      throw new GranuleError('INVALID_ARGUMENT', `excluded must be a Uint8Array, got ${show(excluded)}`);
    }
    checkLength(excluded.length, 'excluded', length);
    for (let query = 0; query < queries; query++) {
      if (excluded[query * documents + positives[query]!] === 1) {
        throw new GranuleError('TARGET_INVALID', `the positive of query ${query} is excluded`, { query });
      }
    }
  }
  return { queries, documents, positives, excluded };
}
