import type { QueryDifference, RunComparison } from '../significance/compare-runs.js';
import { countCell, decimalCell, probabilityCell, type Table } from './table.js';

const COLUMNS = [
  'baseline',
  'mean',
  'difference',
  'low',
  'high',
  'p',
  'corrected p',
  'wins',
  'ties',
  'losses',
] as const;

/**
 * A table of comparisons: a row per measure and run, with both means, the difference and its interval, p-values, and the queries on which
 * the run is better, equal and worse.
 *
 * @param labels - of the runs that were compared with the baseline
 */
export function comparisonTable(comparisons: readonly RunComparison[], labels: readonly string[]): Table {
  return {
    columns: [
      { name: 'measure', isNumeric: false },
      { name: 'run', isNumeric: false },
      ...COLUMNS.map((name) => ({ name, isNumeric: true })),
    ],
    rows: comparisons.map(
      ({ measure, run, baseline, other, difference, test, correctedPValue, wins, ties, losses }) => [
        measure,
        labels[run]!,
        decimalCell(baseline),
        decimalCell(other),
        decimalCell(difference.mean),
        decimalCell(difference.low),
        decimalCell(difference.high),
        probabilityCell(test.pValue),
        probabilityCell(correctedPValue),
        countCell(wins),
        countCell(ties),
        countCell(losses),
      ],
    ),
  };
}

/** A table of queries and how much the run is better than the baseline on them. */
export function differenceTable(differences: readonly QueryDifference[]): Table {
  return {
    columns: [
      { name: 'query', isNumeric: false },
      { name: 'difference', isNumeric: true },
    ],
    rows: differences.map(({ query, difference }) => [query, decimalCell(difference)]),
  };
}
