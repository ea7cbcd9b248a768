import { GranuleError } from '../../errors.js';
import { show } from '../../index/arguments.js';
import type { RankedList } from '../../ranking/ranked-list.js';
import { checkNormalisation, finiteScores, type NormalisationOptions, rescored } from './finite-scores.js';

/** Least deviation that scores are divided by: equal scores become 0. */
const LEAST_DEVIATION = 1e-9;

/** How the scores of one retriever are distributed: plain data, to be stored beside it. */
export interface ScoreStatistics {
  readonly mean: number;
  /** The population's standard deviation, at least 0. */
  readonly deviation: number;
}

/** Options of `globalZmuvNorm`: the statistics of the retriever that the list is from. */
export interface GlobalZmuvOptions extends NormalisationOptions, ScoreStatistics {}

/**
 * Mean and population's standard deviation of all scores of one retriever: of its lists for many queries. In float64, in two
 * passes. O(all places).
 *
 * @param lists - the lists of one retriever, at least one of them not empty
 * @throws GranuleError `LENGTH_MISMATCH` where there is no score at all; `NOT_FINITE`
 */
export function globalStatistics(lists: readonly RankedList[]): ScoreStatistics {
  const places = lists.reduce((sum, list) => sum + finiteScores(list).scores.length, 0);
  if (places === 0) throw new GranuleError('LENGTH_MISMATCH', 'statistics need at least one score');
  // Differences from one of the scores: where all are equal the mean is exactly that score, and no rounding error is later
  // divided by a deviation of almost 0.
  const origin = lists.find(({ scores }) => scores.length > 0)!.scores[0]!;
  let sum = 0;
  for (const { scores } of lists) for (const score of scores) sum += score - origin;
  const mean = origin + sum / places;
  let squares = 0;
  for (const { scores } of lists) for (const score of scores) squares += (score - mean) ** 2;
  return { mean, deviation: Math.sqrt(squares / places) };
}

/**
 * Zero mean and unit variance over all queries of a retriever: s' = (s - mean) / max(deviation, 1e-9), with statistics that were
 * computed beforehand (`globalStatistics`) and stored. A query for which the retriever found nothing good keeps low scores. O(n log n).
 *
 * Source: the released code of Lerner et al., "ViQuAE, a Dataset for Knowledge-based Visual Question Answering about Named
 * Entities" (2022), where it is the default; articles that use it say only "zero mean and unit variance".
 *
 * @param options - `mean` and `deviation` of the retriever, no defaults
 * @throws GranuleError `INVALID_ARGUMENT`, `NOT_FINITE`
 */
export function globalZmuvNorm(list: RankedList, options: GlobalZmuvOptions): RankedList {
  checkNormalisation(list, options, ['mean', 'deviation']);
  return standardised(list, checkStatistics(options));
}

/** (s - mean) / max(deviation, 1e-9) */
export function standardised(list: RankedList, { mean, deviation }: ScoreStatistics): RankedList {
  const divisor = Math.max(deviation, LEAST_DEVIATION);
  return rescored(list, (score) => (score - mean) / divisor);
}

function checkStatistics(statistics: ScoreStatistics): ScoreStatistics {
  const { mean, deviation } = statistics;
  if (!Number.isFinite(mean) || !Number.isFinite(deviation) || deviation < 0) {
    throw new GranuleError(
      'INVALID_ARGUMENT',
      `statistics must be a finite mean and a deviation of at least 0, got ${show(mean)} and ${show(deviation)}`,
    );
  }
  return statistics;
}
