import { GranuleError } from '../errors.js';
import { checkKeys, show } from '../index/arguments.js';
import type { RankedList } from '../ranking/ranked-list.js';
import { type Fusion, fuse } from './fuse.js';

/** Most points of a grid: more are a slip of the step rather than a wish. */
const MAX_POINTS = 100_000;

/** A fusion whose weights are looked for. */
export type FusionWithoutWeights = WithoutWeights<Fusion>;

type WithoutWeights<F> = F extends unknown ? ('weights' extends keyof F ? Omit<F, 'weights'> : never) : never;

/** Options of `tuneWeights`. */
export interface WeightTuningOptions {
  /** Distance of two neighbouring weights: 1 / step is an integer; 0.1 by default. */
  readonly step?: number | undefined;
  /** What the weights are for: `{ method: 'weighted-sum' }` by default, with that method's defaults. */
  readonly fusion?: FusionWithoutWeights | undefined;
}

/** Options of `crossValidateWeights`. */
export interface CrossValidationOptions extends WeightTuningOptions {
  /** Parts that the queries are divided into, query i into part i mod folds: 2 to the number of queries, 5 by default. */
  readonly folds?: number | undefined;
}

/** The best weights of a grid. */
export interface TunedWeights {
  /** One per list, adding up to 1. */
  readonly weights: readonly number[];
  /** The metric's mean over the queries with these weights. */
  readonly value: number;
}

/** What tuned weights are worth on queries that they were not tuned on. */
export interface CrossValidatedWeights {
  /** The metric's mean over all queries, each fused with the weights that the other parts chose. */
  readonly value: number;
  /** Per part the weights that the others chose, and `value` on those others. */
  readonly folds: readonly TunedWeights[];
}

/** How good a fused list is for a query, by its place among the queries; a greater finite number is better. */
export type FusionMetric = (query: number, fused: RankedList) => number;

/**
 * Tries all weights that are multiples of a step and add up to 1, and keeps those with the greatest mean of a metric. Of equal ones the
 * first wins, in the order [1, 0, 0], [0.9, 0.1, 0], [0.9, 0, 0.1], ...: the list named first counts as much as possible. For m lists and
 * n = 1 / step there are (n + m - 1)! / (n! (m - 1)!) points, at most 100,000, and one fusion per point and query; it runs where it is called.
 *
 * Source: the grid search of Bassani and Romelli, "ranx.fuse: A Python Library for Metasearch" (2022).
 *
 * @param queries - for each query one list per retriever, always in the same order
 * @param metric - such as the reciprocal rank of the first relevant row
 * @throws GranuleError `INVALID_ARGUMENT`, `LENGTH_MISMATCH` where there is no query or queries differ in their number of
 * lists, `NOT_FINITE` for a metric that is no finite number, and whatever the fusion throws
 *
 * @example
 * ```ts
 * const firstIsRelevant = (query: number, { rows }: RankedList) => (rows[0] === relevant[query] ? 1 : 0);
 * const { weights } = tuneWeights(validation, firstIsRelevant, {
 *   fusion: { method: 'weighted-sum', normalisation: 'zmuv', missing: 'minimum' },
 * });
 * ```
 */
export function tuneWeights(
  queries: readonly (readonly RankedList[])[],
  metric: FusionMetric,
  options: WeightTuningOptions = {},
): TunedWeights {
  checkKeys(options, ['step', 'fusion']);
  return bestPoint(evaluateGrid(queries, metric, options), () => true);
}

/**
 * Tunes weights on all parts of the queries but one, for each part, and evaluates them on that one. The weights to use afterwards are those of
 * `tuneWeights` on all queries; this says what to expect of them. As many fusions as `tuneWeights`.
 *
 * @param queries - as for `tuneWeights`
 * @throws GranuleError as `tuneWeights`
 */
export function crossValidateWeights(
  queries: readonly (readonly RankedList[])[],
  metric: FusionMetric,
  options: CrossValidationOptions = {},
): CrossValidatedWeights {
  checkKeys(options, ['step', 'fusion', 'folds']);
  const { folds = 5, ...tuning } = options;
  if (!Number.isSafeInteger(folds) || folds < 2 || folds > queries.length) {
    throw new GranuleError(
      'INVALID_ARGUMENT',
      `folds must be an integer from 2 to the number of queries, ${queries.length}, got ${show(folds)}`,
    );
  }
  const points = evaluateGrid(queries, metric, tuning);
  const chosen = Array.from({ length: folds }, (_, fold) =>
    bestPoint(points, (query) => query % folds !== fold),
  );
  const heldOut = queries.map((_, query) => chosen[query % folds]!.values[query]!);
  return { value: mean(heldOut), folds: chosen.map(({ weights, value }) => ({ weights, value })) };
}

interface GridPoint {
  readonly weights: readonly number[];
  /** The metric per query. */
  readonly values: Float64Array;
}

function evaluateGrid(
  queries: readonly (readonly RankedList[])[],
  metric: FusionMetric,
  { step = 0.1, fusion = { method: 'weighted-sum' } }: WeightTuningOptions,
): GridPoint[] {
  const lists = queries[0]?.length ?? 0;
  if (lists === 0 || queries.some((query) => query.length !== lists)) {
    throw new GranuleError(
      'LENGTH_MISMATCH',
      'there must be a query, and every query must have as many lists as the first, at least one',
    );
  }
  return weightGrid(lists, checkStep(step, lists)).map((weights) => ({
    weights,
    values: Float64Array.from(queries, (query, number) => {
      const value = metric(number, fuse(query, { ...fusion, weights } as Fusion));
      if (Number.isFinite(value)) return value;
      throw new GranuleError('NOT_FINITE', `the metric of query ${number} is ${show(value)}`, {
        query: number,
      });
    }),
  }));
}

function bestPoint(
  points: readonly GridPoint[],
  counts: (query: number) => boolean,
): GridPoint & TunedWeights {
  let best: (GridPoint & TunedWeights) | undefined;
  for (const point of points) {
    const value = mean(point.values.filter((_, query) => counts(query)));
    if (best === undefined || value > best.value) best = { ...point, value };
  }
  return best!;
}

/** All weights that are multiples of 1 / parts and add up to 1, the greatest first weight first. */
function weightGrid(lists: number, parts: number): number[][] {
  const points: number[][] = [];
  extend([], parts);
  return points;

  function extend(counts: readonly number[], left: number): void {
    if (counts.length === lists - 1) {
      points.push([...counts, left].map((count) => count / parts));
      return;
    }
    for (let count = left; count >= 0; count--) extend([...counts, count], left - count);
  }
}

/** @returns 1 / step */
function checkStep(step: number, lists: number): number {
  const parts = Math.round(1 / step);
  if (typeof step !== 'number' || !(step > 0 && step <= 1) || Math.abs(parts * step - 1) > 1e-9) {
    throw new GranuleError('INVALID_ARGUMENT', `step must divide 1 into equal parts, got ${show(step)}`);
  }
  let points = 1;
  for (let list = 1; list < lists; list++) points *= (parts + list) / list;
  if (points > MAX_POINTS) {
    throw new GranuleError(
      'INVALID_ARGUMENT',
      `${lists} lists with a step of ${step} make ${Math.round(points)} points, more than ${MAX_POINTS}; take a larger step`,
    );
  }
  return parts;
}

function mean(values: ArrayLike<number>): number {
  return Array.from(values).reduce((sum, value) => sum + value, 0) / values.length;
}
