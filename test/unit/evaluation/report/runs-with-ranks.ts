import { evaluateRun } from '../../../../src/evaluation/evaluate-run.js';
import type { LabelledRun } from '../../../../src/evaluation/report/evaluation-table.js';

/** A run in which the one relevant document of query i has rank ranks[i]; 0: it was not found. */
export function runWithRanks(
  label: string,
  ranks: readonly number[],
  measures: readonly string[],
): LabelledRun {
  const names = ranks.map((_, i) => `q${i + 1}`);
  const queries = ranks.map((rank, i) => {
    const documents = ['a', 'b', 'c', 'd'].map((name, place) => (place === rank - 1 ? 'good' : name));
    return [names[i]!, { documents, scores: Float64Array.of(4, 3, 2, 1) }] as const;
  });
  const qrels = new Map(names.map((name) => [name, new Map([['good', 1]])]));
  return { label, evaluation: evaluateRun(qrels, { tag: label, queries: new Map(queries) }, { measures }) };
}
