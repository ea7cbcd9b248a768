import type { JudgedList } from '../judged-list.js';

/** `unj_k`: documents without a judgement among the first k, divided by k even where fewer were retrieved. */
export function unjudgedAtRank({ relevance }: JudgedList, k: number): number {
  return relevance.subarray(0, k).filter((grade) => grade < 0).length / k;
}
