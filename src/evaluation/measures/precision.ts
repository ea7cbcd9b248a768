import { type JudgedList, relevantWithin } from '../judged-list.js';

/** `P_k`: relevant documents among the first k, divided by k even where fewer were retrieved. */
export function precisionAtRank(list: Pick<JudgedList, 'relevantRanks'>, k: number): number {
  return relevantWithin(list, k) / k;
}

/** `relative_P_k`: relevant documents among the first k, divided by the most that are possible, min(k, R). 0 where R = 0. */
export function relativePrecisionAtRank(list: JudgedList, k: number): number {
  return list.relevant === 0 ? 0 : relevantWithin(list, k) / Math.min(k, list.relevant);
}
