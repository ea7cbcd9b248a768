import { type RunList, trecOrder } from './run.js';

/** The relevance of a document that nobody judged and that was not in the pool. */
export const NOT_IN_POOL = -2;

/** One query's retrieved documents, best first, beside what the judges said: all that a measure sees. */
export interface JudgedList {
  /** Relevance of the document at each rank; -1 in the pool but not judged, below that neither. */
  readonly relevance: Int32Array;
  /** Score of the document at each rank. */
  readonly scores: Float64Array;
  /** Ranks of the relevant documents that were retrieved, from 1, ascending. */
  readonly relevantRanks: Uint32Array;
  /** Relevance of all documents that were judged for the query (0 and more), descending. */
  readonly judged: Int32Array;
  /** How many documents are relevant, retrieved or not: R. */
  readonly relevant: number;
  /** From which relevance on a document is relevant. */
  readonly relevanceLevel: number;
}

/** Puts a query's list into the order of trec_eval and looks its judgements up. */
export function judgedList(
  list: RunList,
  judgements: ReadonlyMap<string, number>,
  relevanceLevel: number,
): JudgedList {
  const order = trecOrder(list);
  const relevance = Int32Array.from(order, (i) => judgements.get(list.documents[i]!) ?? NOT_IN_POOL);
  const relevantRanks: number[] = [];
  for (const [i, grade] of relevance.entries()) if (grade >= relevanceLevel) relevantRanks.push(i + 1);
  const judged = Int32Array.from([...judgements.values()].filter((grade) => grade >= 0))
    .sort()
    .reverse();
  return {
    relevance,
    scores: Float64Array.from(order, (i) => list.scores[i]!),
    relevantRanks: Uint32Array.from(relevantRanks),
    judged,
    relevant: judged.filter((grade) => grade >= relevanceLevel).length,
    relevanceLevel,
  };
}

/** How many relevant documents are among the first k. */
export function relevantWithin({ relevantRanks }: Pick<JudgedList, 'relevantRanks'>, k: number): number {
  let low = 0;
  let high = relevantRanks.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (relevantRanks[middle]! <= k) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Whether the document with this relevance was judged and found not relevant. */
export function isJudgedNonRelevant(grade: number, relevanceLevel: number): boolean {
  return grade >= 0 && grade < relevanceLevel;
}
