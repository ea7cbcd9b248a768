import { GranuleError } from '../../errors.js';
import type { Evaluation } from '../evaluate-run.js';
import { withDefaults } from '../option-checks.js';
import {
  BOOTSTRAP_DEFAULTS,
  type BootstrapOptions,
  bootstrapIntervals,
  type MeanInterval,
} from './bootstrap-interval.js';
import { holmCorrection } from './holm-correction.js';
import { meanOf, pairedDifferences } from './paired-values.js';
import {
  RANDOMISATION_DEFAULTS,
  type RandomisationOptions,
  type RandomisationResult,
  randomisationTest,
} from './randomisation-test.js';

/** What to compare, and how. */
export interface ComparisonOptions extends RandomisationOptions, BootstrapOptions {
  /** Default: every measure that has a mean over queries; counts have none. */
  readonly measures?: readonly string[];
}

/** A run against the baseline by one measure. */
export interface RunComparison {
  readonly measure: string;
  /** The run's place among those that are compared with the baseline. */
  readonly run: number;
  /** The means over queries. */
  readonly baseline: number;
  readonly other: number;
  /** other - baseline: its mean, and the bootstrap interval of that. */
  readonly difference: MeanInterval;
  /** Of the interval. */
  readonly confidence: number;
  /** The randomisation test of the difference. */
  readonly test: RandomisationResult;
  /** The test's p-value after Holm's correction over the runs that are compared by this measure. */
  readonly correctedPValue: number;
  /** Queries on which the run is better than the baseline, equal, and worse. */
  readonly wins: number;
  readonly ties: number;
  readonly losses: number;
  readonly queries: readonly string[];
  /** other - baseline of each query. */
  readonly differences: Float64Array;
}

/** One query's difference. */
export interface QueryDifference {
  readonly query: string;
  readonly difference: number;
}

/**
 * Compares runs with a baseline, query by query: the randomisation test, with Holm's correction where several runs are compared, and
 * the paired bootstrap interval. All must have been evaluated on the same queries; the option `complete` of `evaluateRun` sees to it where
 * a run found nothing for some. Measures are not corrected for: choose the one that decides beforehand.
 *
 * @returns measure by measure in the baseline's order, run by run
 * @throws GranuleError `INVALID_ARGUMENT` where a run has other queries or lacks a measure, for a measure without a mean over
 *   queries, and for wrong options
 */
export function compareRuns(
  baseline: Evaluation,
  others: readonly Evaluation[],
  options: ComparisonOptions = {},
): RunComparison[] {
  const defaults = {
    ...RANDOMISATION_DEFAULTS,
    ...BOOTSTRAP_DEFAULTS,
    measures: comparableMeasures(baseline),
  };
  const chosen = withDefaults<Required<ComparisonOptions>>(options, defaults, 'compareRuns');
  const { measures, permutations, confidence, resamples, seed } = chosen;
  for (const evaluation of [baseline, ...others]) refuseIncomparable(evaluation, measures);
  for (const [run, other] of others.entries()) refuseOtherQueries(baseline, other, run);
  const differencesOf = ({ perQuery }: Evaluation, measure: string) =>
    pairedDifferences(baseline.perQuery.get(measure)!, perQuery.get(measure)!);
  // Together, for every column then shares the draws.
  const intervals = others.map((other) =>
    bootstrapIntervals(
      measures.map((measure) => differencesOf(other, measure)),
      { confidence, resamples, seed },
    ),
  );
  return measures.flatMap((measure, place) => {
    const before = baseline.perQuery.get(measure)!;
    const compared = others.map((other, run) => {
      const after = other.perQuery.get(measure)!;
      const differences = differencesOf(other, measure);
      return {
        measure,
        run,
        baseline: meanOf(before),
        other: meanOf(after),
        difference: intervals[run]![place]!,
        confidence,
        test: randomisationTest(before, after, { permutations, seed }),
        wins: differences.filter((value) => value > 0).length,
        ties: differences.filter((value) => value === 0).length,
        losses: differences.filter((value) => value < 0).length,
        queries: baseline.queries,
        differences,
      };
    });
    const corrected = holmCorrection(compared.map(({ test }) => test.pValue));
    return compared.map((comparison, run) => ({ ...comparison, correctedPValue: corrected[run]! }));
  });
}

/** The queries on which the two differ most, greatest first; equal ones in the order of the queries. Ties are left out. */
export function largestDifferences(
  { queries, differences }: Pick<RunComparison, 'queries' | 'differences'>,
  count: number,
): QueryDifference[] {
  return queries
    .map((query, i) => ({ query, difference: differences[i]! }))
    .filter(({ difference }) => difference !== 0)
    .sort((a, b) => Math.abs(b.difference) - Math.abs(a.difference))
    .slice(0, count);
}

/** The measures of an evaluation that have a value per query and a mean of them. */
export function comparableMeasures({ results }: Evaluation): string[] {
  return results
    .filter(({ perQuery, isCount }) => perQuery instanceof Float64Array && !isCount)
    .map(({ name }) => name);
}

function refuseIncomparable(evaluation: Evaluation, measures: readonly string[]): void {
  const comparable = comparableMeasures(evaluation);
  const missing = measures.find((measure) => !comparable.includes(measure));
  if (missing === undefined) return;
  throw new GranuleError('INVALID_ARGUMENT', `a run has no mean over queries of ${missing}`, {
    measure: missing,
  });
}

function refuseOtherQueries(baseline: Evaluation, other: Evaluation, run: number): void {
  const there = new Set(other.queries);
  const missing = baseline.queries.filter((query) => !there.has(query)).length;
  const added = other.queries.length - (baseline.queries.length - missing);
  if (missing === 0 && added === 0) return;
  throw new GranuleError(
    'INVALID_ARGUMENT',
    `compared run ${run + 1} lacks ${missing} of the baseline's queries and has ${added} others; evaluate both with complete`,
    { run, missing, added },
  );
}
