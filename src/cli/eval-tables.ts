import type { Evaluation } from '../evaluation/evaluate-run.js';
import { comparisonTable } from '../evaluation/report/comparison-table.js';
import { evaluationTable, type LabelledRun } from '../evaluation/report/evaluation-table.js';
import { csvTable, latexTable, markdownTable } from '../evaluation/report/table-formats.js';
import type { RunComparison } from '../evaluation/significance/compare-runs.js';

/** A run file, measured. */
export interface MeasuredRun {
  readonly file: string;
  readonly tag: string;
  readonly evaluation: Evaluation;
}

/** The formats that print a table. */
export const TABLE_FORMATS = { markdown: markdownTable, csv: csvTable, latex: latexTable } as const;

/** A format that prints a table. */
export type TableFormat = keyof typeof TABLE_FORMATS;

/** Runs that were measured, and how those after the first compare with it; undefined where that was not asked for. */
export interface MeasuredRuns {
  readonly runs: readonly MeasuredRun[];
  readonly comparisons: readonly RunComparison[] | undefined;
}

/** The runs as a table, or their comparison, in which their means stand too. */
export function textTable(
  { runs, comparisons }: MeasuredRuns,
  format: TableFormat,
  perQuery: boolean,
): string {
  const labelled = labelledRuns(runs);
  const table = comparisons
    ? comparisonTable(
        comparisons,
        labelled.slice(1).map(({ label }) => label),
      )
    : // A program that reads CSV finds the same columns with and without queries.
      evaluationTable(labelled, { perQuery, queryColumn: perQuery || format === 'csv' });
  return TABLE_FORMATS[format](table);
}

/** One JSON object on one line: each run's values, with `perQuery` each query's, and the comparisons. */
export function jsonReport({ runs, comparisons }: MeasuredRuns, perQuery: boolean): string {
  return JSON.stringify({
    runs: runs.map(({ file, tag, evaluation: { queries, results, aggregate } }) => ({
      file,
      tag,
      aggregate: Object.fromEntries(aggregate),
      ...(perQuery && {
        perQuery: Object.fromEntries(
          queries.map((query, place) => [
            query,
            Object.fromEntries(
              results.flatMap(({ name, perQuery: values }) => (values ? [[name, values[place]!]] : [])),
            ),
          ]),
        ),
      }),
    })),
    ...(comparisons && {
      comparisons: comparisons.map(({ run, queries, differences, ...comparison }) => ({
        file: runs[run + 1]!.file,
        ...comparison,
      })),
    }),
  });
}

/** Runs by their tags, or by their files where two have one tag. */
export function labelledRuns(runs: readonly MeasuredRun[]): LabelledRun[] {
  const hasOwnTags = new Set(runs.map(({ tag }) => tag)).size === runs.length;
  return runs.map(({ tag, file, evaluation }) => ({ label: hasOwnTags ? tag : file, evaluation }));
}
