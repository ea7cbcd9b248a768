import { type JudgedList, relevantWithin } from '../judged-list.js';

/** `success_k` and `hit_k`: 1 where one of the first k documents is relevant, else 0. */
export function successAtRank(list: Pick<JudgedList, 'relevantRanks'>, k: number): number {
  return relevantWithin(list, k) > 0 ? 1 : 0;
}
