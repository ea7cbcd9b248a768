import { isJudgedNonRelevant, type JudgedList } from '../judged-list.js';

/** `num_ret`: documents that were retrieved. */
export function retrieved({ relevance }: JudgedList): number {
  return relevance.length;
}

/** `num_rel`: documents that are relevant, R. */
export function relevant(list: JudgedList): number {
  return list.relevant;
}

/** `num_rel_ret`: relevant documents that were retrieved. */
export function relevantRetrieved({ relevantRanks }: JudgedList): number {
  return relevantRanks.length;
}

/** `num_nonrel_judged_ret`: documents that were retrieved, judged, and found not relevant. */
export function judgedNonRelevantRetrieved({ relevance, relevanceLevel }: JudgedList): number {
  return relevance.filter((grade) => isJudgedNonRelevant(grade, relevanceLevel)).length;
}
