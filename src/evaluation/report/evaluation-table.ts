import type { Evaluation } from '../evaluate-run.js';
import { type Cell, countCell, decimalCell, type Table } from './table.js';

/** A run that was measured, under the name that reports give it. */
export interface LabelledRun {
  readonly label: string;
  readonly evaluation: Evaluation;
}

/** What a table of evaluations shows. */
export interface EvaluationTableOptions {
  /** A row for each query's value too, before those of the runs; default false. */
  readonly perQuery?: boolean;
  /** A column that names the query, or `all`; default: where there are rows for queries. */
  readonly queryColumn?: boolean;
}

const ALL = 'all';

/**
 * A table of runs: a row per measure, a column per run.
 *
 * @param runs - measured by the same measures; a query that was not evaluated for a run has no value there
 */
export function evaluationTable(
  runs: readonly LabelledRun[],
  { perQuery = false, queryColumn = perQuery }: EvaluationTableOptions = {},
): Table {
  const measures = runs[0]?.evaluation.results ?? [];
  const places = runs.map(
    ({ evaluation }) => new Map(evaluation.queries.map((query, place) => [query, place])),
  );
  const queries = perQuery ? [...new Set(places.flatMap((place) => [...place.keys()]))] : [];
  const row = (measure: number, query: string, values: (number | string | undefined)[]): Cell[][] => {
    if (values.every((value) => value === undefined)) return [];
    const { name, isCount } = measures[measure]!;
    return [[name, ...(queryColumn ? [query] : []), ...values.map((value) => cellOf(value, isCount))]];
  };
  const ofQueries = queries.flatMap((query) =>
    measures.flatMap((_, measure) =>
      row(
        measure,
        query,
        runs.map(({ evaluation }, run) => {
          const place = places[run]!.get(query);
          return place === undefined ? undefined : evaluation.results[measure]!.perQuery?.[place];
        }),
      ),
    ),
  );
  const ofRuns = measures.flatMap((_, measure) =>
    row(
      measure,
      ALL,
      runs.map(({ evaluation }) => evaluation.results[measure]!.aggregate),
    ),
  );
  return {
    columns: [
      { name: 'measure', isNumeric: false },
      ...(queryColumn ? [{ name: 'query', isNumeric: false }] : []),
      ...runs.map(({ label }) => ({ name: label, isNumeric: true })),
    ],
    rows: [...ofQueries, ...ofRuns],
  };
}

function cellOf(value: number | string | undefined, isCount: boolean): Cell {
  if (typeof value !== 'number') return value ?? '';
  return isCount ? countCell(value) : decimalCell(value);
}
