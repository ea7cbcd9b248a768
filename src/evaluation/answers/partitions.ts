import { GranuleError } from '../../errors.js';
import { type EvaluateOptions, type Evaluation, evaluateRun } from '../evaluate-run.js';
import type { Qrels } from '../qrels.js';
import type { Run } from '../run.js';

/** The mean of a measure over the queries of one group. */
export interface GroupMean {
  readonly queries: number;
  readonly mean: number;
}

/**
 * The mean of per-query values for each group of queries, such as question types or modalities of answers; groups in the order in which
 * they are met. O(queries).
 *
 * @param groups - the group of each query; a query whose group is undefined is in none
 * @throws GranuleError `LENGTH_MISMATCH` where there are not as many groups as values
 */
export function meansByGroup(
  values: ArrayLike<number>,
  groups: readonly (string | undefined)[],
): Map<string, GroupMean> {
  if (values.length !== groups.length) {
    throw new GranuleError('LENGTH_MISMATCH', `${values.length} values have ${groups.length} groups`, {
      values: values.length,
      groups: groups.length,
    });
  }
  const sums = new Map<string, { queries: number; sum: number }>();
  for (const [i, group] of groups.entries()) {
    if (group === undefined) continue;
    const { queries, sum } = sums.get(group) ?? { queries: 0, sum: 0 };
    sums.set(group, { queries: queries + 1, sum: sum + values[i]! });
  }
  return new Map([...sums].map(([group, { queries, sum }]) => [group, { queries, mean: sum / queries }]));
}

/** Whether a judged pair belongs to a partition, from the metadata of both. */
export type PairPredicate = (query: string, document: string) => boolean;

/**
 * The judgements within a partition. Pairs outside it are left out, as though nobody had judged them; so are queries that have no
 * relevant document within it, which no system could answer there. O(judgements).
 *
 * @param relevanceLevel - from which relevance on a document is relevant; default 1
 */
export function partitionQrels(qrels: Qrels, isWithin: PairPredicate, relevanceLevel = 1): Qrels {
  const kept = [...qrels].map(([query, judgements]): [string, ReadonlyMap<string, number>] => [
    query,
    new Map([...judgements].filter(([document]) => isWithin(query, document))),
  ]);
  return new Map(
    kept.filter(([, judgements]) => [...judgements.values()].some((grade) => grade >= relevanceLevel)),
  );
}

/**
 * Measures a run in each partition of the judgements, such as ALL, IN and OUT: documents that share the query's domain, and those that do
 * not. The run stays whole, so a document of another partition takes a rank and counts as not judged.
 *
 * Source: "DAPFAM: A Domain-Aware Family-level Dataset to Benchmark Cross Domain Patent Retrieval" (2025).
 *
 * @returns per partition its evaluation; undefined where no query of the run has a relevant document in it
 * @throws GranuleError as `evaluateRun`
 */
export function evaluatePartitions<Name extends string>(
  qrels: Qrels,
  run: Run,
  partitions: Readonly<Record<Name, PairPredicate>>,
  options: EvaluateOptions = {},
): Record<Name, Evaluation | undefined> {
  const evaluations = Object.entries<PairPredicate>(partitions).map(([name, isWithin]) => {
    const within = partitionQrels(qrels, isWithin, options.relevanceLevel);
    const isMeasurable = [...within.keys()].some((query) => run.queries.has(query));
    return [name, isMeasurable ? evaluateRun(within, run, options) : undefined];
  });
  return Object.fromEntries(evaluations);
}
