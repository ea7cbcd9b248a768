import { GranuleError } from '../../errors.js';
import { evaluateRun } from '../../evaluation/evaluate-run.js';
import type { Qrels } from '../../evaluation/qrels.js';
import type { RunList } from '../../evaluation/run.js';
import { selectMeasures } from '../../evaluation/select-measures.js';
import type { DocumentIndex } from './document-index.js';
import type { JudgedQueries } from './training-data.js';

/**
 * Measures of the retriever of the moment by exact search; queries and documents are named by their rows.
 *
 * @param measures - names as `evaluateRun` takes them
 * @param depth - documents of a list
 * @returns by name, the first measure first
 */
export async function measureRetriever(
  index: DocumentIndex,
  { vectors, positives, grades }: JudgedQueries,
  measures: readonly string[],
  depth: number,
  step: number,
): Promise<Record<string, number>> {
  const lists = new Map<string, RunList>();
  await index.search(vectors, depth, step, ({ rows, scores, counts, k, queries }, first) => {
    for (let i = 0; i < queries; i++) {
      const places = [i * k, i * k + counts[i]!] as const;
      lists.set(String(first + i), {
        documents: Array.from(rows.subarray(...places), String),
        scores: Float64Array.from(scores.subarray(...places)),
      });
    }
  });
  const qrels: Qrels = new Map(
    positives.map((list, query) => [
      String(query),
      new Map(Array.from(list, (row) => [String(row), grades?.[query]?.get(row) ?? 1])),
    ]),
  );
  const { aggregate } = evaluateRun(qrels, { tag: 'training', queries: lists }, { measures });
  return Object.fromEntries(checkMeasures(measures).map((name) => [name, aggregate.get(name)!]));
}

/**
 * @returns the names under which the measures are printed, each once, in the order in which they were asked for
 * @throws GranuleError `INVALID_ARGUMENT` for an unknown measure, or one that is no number
 */
export function checkMeasures(measures: readonly string[]): string[] {
  if (!Array.isArray(measures) || measures.length === 0) {
    throw new GranuleError('INVALID_ARGUMENT', 'measures must name one measure or more');
  }
  const names = measures.flatMap((asked) =>
    selectMeasures([asked]).map(({ name, family }) => {
      if (family.kind === 'number') return name;
      throw new GranuleError(
        'INVALID_ARGUMENT',
        `${name} is no number, so a retriever cannot be measured by it`,
      );
    }),
  );
  return [...new Set(names)];
}
