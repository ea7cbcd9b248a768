import type { Evaluation } from '../evaluation/evaluate-run.js';
import { fourDecimals } from '../evaluation/trec-eval-text.js';

/** A run file, measured. */
export interface MeasuredRun {
  readonly file: string;
  readonly tag: string;
  readonly evaluation: Evaluation;
}

type Value = number | string | undefined;

/** A measure's values for one query, or for the runs as a whole, one per run. */
interface Row {
  readonly measure: string;
  readonly query: string;
  readonly values: readonly Value[];
  readonly isCount: boolean;
}

const ALL = 'all';

/** One JSON object on one line: each run's values, and with `perQuery` each query's. */
export function jsonReport(runs: readonly MeasuredRun[], perQuery: boolean): string {
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
  });
}

/** Comma-separated values (RFC 4180): a line per measure, a column per run, numbers in full; with `perQuery` a line per query too. */
export function csvTable(runs: readonly MeasuredRun[], perQuery: boolean): string {
  const lines = [
    ['measure', 'query', ...labelsOf(runs)],
    ...rowsOf(runs, perQuery).map(({ measure, query, values }) => [
      measure,
      query,
      ...values.map((value) => String(value ?? '')),
    ]),
  ];
  return lines.map((line) => line.map(quoted).join(',')).join('\n');
}

/** A table in Markdown: a line per measure, a column per run, four decimals; with `perQuery` a line per query too. */
export function markdownTable(runs: readonly MeasuredRun[], perQuery: boolean): string {
  const place = (measure: string, query: string) => (perQuery ? [measure, query] : [measure]);
  const lines = [
    [...place('measure', 'query'), ...labelsOf(runs)],
    [...place('---', '---'), ...runs.map(() => '---:')],
    ...rowsOf(runs, perQuery).map(({ measure, query, values, isCount }) => [
      ...place(measure, query),
      ...values.map((value) => shown(value, isCount)),
    ]),
  ];
  return lines.map((line) => `| ${line.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`).join('\n');
}

/** The runs' tags, or their files where two have one tag. */
function labelsOf(runs: readonly MeasuredRun[]): string[] {
  const tags = runs.map(({ tag }) => tag);
  return new Set(tags).size === tags.length ? tags : runs.map(({ file }) => file);
}

/** Every run has the same measures; a query that was not evaluated for one has no value there. */
function rowsOf(runs: readonly MeasuredRun[], perQuery: boolean): Row[] {
  const measures = runs[0]!.evaluation.results;
  const places = runs.map(
    ({ evaluation }) => new Map(evaluation.queries.map((query, place) => [query, place])),
  );
  const queries = perQuery ? [...new Set(places.flatMap((place) => [...place.keys()]))] : [];
  const row = (measure: number, query: string, values: Value[]): Row[] => {
    const { name, isCount } = measures[measure]!;
    return values.every((value) => value === undefined) ? [] : [{ measure: name, query, values, isCount }];
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
  return [...ofQueries, ...ofRuns];
}

function shown(value: Value, isCount: boolean): string {
  return typeof value === 'number' && !isCount ? fourDecimals(value) : String(value ?? '');
}

function quoted(cell: string): string {
  return /[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell;
}
