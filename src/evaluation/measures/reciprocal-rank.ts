import type { JudgedList } from '../judged-list.js';

/** `recip_rank`: 1 / rank of the first relevant document, 0 where none was retrieved. */
export function reciprocalRank(list: JudgedList): number {
  return reciprocalRankWithin(list, Number.POSITIVE_INFINITY);
}

/** `mrr_k`: 1 / rank of the first relevant document where that is at most k, else 0. Its mean is MRR@k. */
export function reciprocalRankWithin(
  { relevantRanks }: Pick<JudgedList, 'relevantRanks'>,
  k: number,
): number {
  const first = relevantRanks[0];
  return first === undefined || first > k ? 0 : 1 / first;
}
