import { type JudgedList, relevantWithin } from '../judged-list.js';

/** `recall_k`: relevant documents among the first k, divided by R. 0 where R = 0. */
export function recallAtRank(list: JudgedList, k: number): number {
  return list.relevant === 0 ? 0 : relevantWithin(list, k) / list.relevant;
}
