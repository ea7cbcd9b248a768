import { GranuleError } from '../errors.js';
import { compareBytes } from './byte-order.js';
import { type JudgedList, judgedList } from './judged-list.js';
import type { Aggregation } from './measure-family.js';
import type { Qrels } from './qrels.js';
import { type Run, type RunList, refuseRepeated } from './run.js';
import { type SelectedMeasure, selectMeasures } from './select-measures.js';

/** What to measure, and how. */
export interface EvaluateOptions {
  /** Names of measures, families or sets; default `['official']`. */
  readonly measures?: readonly string[];
  /** Count judged queries that the run has no list for, as empty lists; default false: they are left out. */
  readonly complete?: boolean;
  /** From which relevance on a document is relevant; default 1. Measures that grade relevance (nDCG, G, rbp) do not look at it. */
  readonly relevanceLevel?: number;
}

/** One measure's values. */
export interface MeasureResult {
  /** As trec_eval prints it: `P_10`. */
  readonly name: string;
  /** One value per query, in the order of the evaluation's queries; absent where the measure is of the whole run. */
  readonly perQuery?: Float64Array | readonly string[];
  /** The value of the run; absent where there is none (`relstring`). */
  readonly aggregate?: number | string;
  /** Whether the values are counts, which are printed without decimals. */
  readonly isCount: boolean;
}

/** A run, measured. */
export interface Evaluation {
  /** The queries that were evaluated, ascending by bytes. */
  readonly queries: readonly string[];
  /** Every measure, in the order of the table, texts included. */
  readonly results: readonly MeasureResult[];
  /** Numbers only: per measure, one value for each of `queries`. */
  readonly perQuery: ReadonlyMap<string, Float64Array>;
  /** Numbers only: the value of the run for each measure. */
  readonly aggregate: ReadonlyMap<string, number>;
}

const DEFAULTS = { measures: ['official'], complete: false, relevanceLevel: 1 } as const;
/** Zeros would make every geometric mean 0. */
const LEAST_OF_GEOMETRIC_MEAN = 1e-5;

/**
 * Measures a run by relevance judgements, as trec_eval does.
 *
 * Queries that are in both are evaluated. A run's documents are ordered by score descending, then id descending by bytes, whatever
 * order they come in. A query without relevant documents has the value 0 and counts in every mean. Takes O(n log n) for n documents of
 * a list, and one pass per measure.
 *
 * @throws GranuleError `INVALID_ARGUMENT` for an unknown measure, a relevance level below 1, or where no query is in both;
 *   `LENGTH_MISMATCH` where a list has not as many scores as documents; `NOT_FINITE` for a score that is not a number; `DUPLICATE_ID`
 *   for a document that comes twice in a list
 */
export function evaluateRun(qrels: Qrels, run: Run, options: EvaluateOptions = {}): Evaluation {
  const { measures, complete, relevanceLevel } = checkOptions(options);
  const selected = selectMeasures(measures);
  const queries = evaluatedQueries(qrels, run, complete);
  const columns = selected.map((measure) => ({ measure, values: emptyValues(measure, queries.length) }));
  for (const [place, query] of queries.entries()) {
    const list = judgedList(checkedList(run, query), qrels.get(query)!, relevanceLevel);
    for (const { measure, values } of columns) fillValue(measure, values, place, list);
  }
  const results = columns.map(({ measure, values }) => resultOf(measure, values, queries.length, run.tag));
  return {
    queries,
    results,
    perQuery: new Map(
      results.flatMap(({ name, perQuery }) => (perQuery instanceof Float64Array ? [[name, perQuery]] : [])),
    ),
    aggregate: new Map(
      results.flatMap(({ name, aggregate }) => (typeof aggregate === 'number' ? [[name, aggregate]] : [])),
    ),
  };
}

function checkOptions(options: EvaluateOptions): Required<EvaluateOptions> {
  const unknown = Object.keys(options).find((name) => !Object.hasOwn(DEFAULTS, name));
  if (unknown !== undefined) {
    throw new GranuleError('INVALID_ARGUMENT', `evaluateRun has no option ${unknown}`, { option: unknown });
  }
  const chosen = { ...DEFAULTS, ...options };
  const { relevanceLevel } = chosen;
  if (!Number.isSafeInteger(relevanceLevel) || relevanceLevel < 1) {
    throw new GranuleError(
      'INVALID_ARGUMENT',
      `the relevance level must be a whole number of at least 1, got ${relevanceLevel}`,
      { relevanceLevel },
    );
  }
  return chosen;
}

function evaluatedQueries(qrels: Qrels, run: Run, complete: boolean): string[] {
  const common = [...qrels.keys()].filter((query) => run.queries.has(query));
  const isEmptyRun = complete && run.queries.size === 0 && qrels.size > 0;
  if (common.length === 0 && !isEmptyRun) {
    throw new GranuleError(
      'INVALID_ARGUMENT',
      `no query is both judged and in the run: ${qrels.size} are judged${example(qrels)}, ${run.queries.size} are in the run${example(run.queries)}`,
      { judged: qrels.size, run: run.queries.size },
    );
  }
  return (complete ? [...qrels.keys()] : common).sort(compareBytes);
}

function example(queries: ReadonlyMap<string, unknown>): string {
  const [first] = queries.keys();
  return first === undefined ? '' : ` (the first is ${JSON.stringify(first)})`;
}

const NOTHING_RETRIEVED: RunList = { documents: [], scores: new Float64Array() };

function checkedList(run: Run, query: string): RunList {
  const list = run.queries.get(query) ?? NOTHING_RETRIEVED;
  const { documents, scores } = list;
  if (documents.length !== scores.length) {
    throw new GranuleError(
      'LENGTH_MISMATCH',
      `query ${query}: ${documents.length} documents have ${scores.length} scores`,
      { query, documents: documents.length, scores: scores.length },
    );
  }
  const place = scores.findIndex(Number.isNaN);
  if (place !== -1) {
    throw new GranuleError(
      'NOT_FINITE',
      `query ${query}: the score of document ${documents[place]} is not a number`,
      { query, document: documents[place]! },
    );
  }
  refuseRepeated(documents, query);
  return list;
}

type Values = Float64Array | string[];

function emptyValues({ family }: SelectedMeasure, queries: number): Values {
  return family.kind === 'number' ? new Float64Array(queries) : [];
}

function fillValue(
  { family, parameter }: SelectedMeasure,
  values: Values,
  place: number,
  list: JudgedList,
): void {
  if (family.kind === 'number') values[place] = family.value(list, parameter);
  else if (family.kind === 'text') values[place] = family.text(list, parameter);
}

function resultOf(
  { name, family }: SelectedMeasure,
  values: Values,
  queries: number,
  tag: string,
): MeasureResult {
  switch (family.kind) {
    case 'tag':
      return { name, aggregate: tag, isCount: false };
    case 'query count':
      return { name, aggregate: queries, isCount: true };
    case 'text':
      return { name, perQuery: values as string[], isCount: false };
    case 'number': {
      const numbers = values as Float64Array;
      const aggregate = AGGREGATIONS[family.aggregation](numbers);
      const isCount = family.aggregation === 'sum';
      // A geometric mean is of the run; its queries' values are those of the measure that it is the mean of.
      if (family.aggregation === 'geometric mean') return { name, aggregate, isCount };
      return { name, perQuery: numbers, aggregate, isCount };
    }
  }
}

const AGGREGATIONS: Readonly<Record<Aggregation, (values: Float64Array) => number>> = {
  sum,
  mean: (values) => sum(values) / values.length,
  'geometric mean': (values) =>
    Math.exp(sum(values.map((value) => Math.log(Math.max(value, LEAST_OF_GEOMETRIC_MEAN)))) / values.length),
};

function sum(values: Float64Array): number {
  return values.reduce((total, value) => total + value, 0);
}
