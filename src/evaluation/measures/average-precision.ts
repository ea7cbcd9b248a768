import type { JudgedList } from '../judged-list.js';

/**
 * Average precision: (1/R) sum over relevant ranks r of (relevant documents to rank r) / r. 0 where R = 0. Its mean is MAP, its
 * geometric mean GMAP ("Overview of the TREC 2004 Robust Retrieval Track").
 */
export function averagePrecision(list: JudgedList): number {
  return averagePrecisionAt(list, list.relevance.length);
}

/** `map_cut_k`: average precision over the first k ranks, divided by R all the same. */
export function averagePrecisionAt(list: JudgedList, k: number): number {
  return list.relevant === 0 ? 0 : sumOfPrecisions(list, k) / list.relevant;
}

/**
 * `circo_map_k`: (1 / min(k, R)) sum over relevant ranks r <= k of the precision at r, so that 1 can be reached where R > k.
 *
 * Source: "Zero-Shot Composed Image Retrieval with Textual Inversion" (2023), the CIRCO benchmark.
 */
export function circoAveragePrecisionAt(list: JudgedList, k: number): number {
  return list.relevant === 0 ? 0 : sumOfPrecisions(list, k) / Math.min(k, list.relevant);
}

function sumOfPrecisions({ relevantRanks }: JudgedList, k: number): number {
  let sum = 0;
  for (const [i, rank] of relevantRanks.entries()) {
    if (rank > k) break;
    sum += (i + 1) / rank;
  }
  return sum;
}
