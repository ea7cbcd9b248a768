import type { JudgedList } from '../judged-list.js';

/** The eleven recalls of `11pt_avg` and `iprec_at_recall`. */
export const ELEVEN_RECALLS = [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1];

/**
 * `iprec_at_recall`: the greatest precision at any rank from which on at least floor(recall R + 0.5) relevant documents were
 * retrieved; 0 where so many never were. Recall 0 looks at every rank.
 */
export function interpolatedPrecision({ relevantRanks, relevant }: JudgedList, recall: number): number {
  const needed = Math.max(1, Math.floor(recall * relevant + 0.5));
  let best = 0;
  // Between two relevant ranks precision only falls, so the relevant ranks are all there is to look at.
  for (let found = needed; found <= relevantRanks.length; found++) {
    best = Math.max(best, found / relevantRanks[found - 1]!);
  }
  return best;
}

/** `11pt_avg`: mean of the interpolated precision at the recalls 0, 0.1, ... 1. */
export function elevenPointAverage(list: JudgedList): number {
  const sum = ELEVEN_RECALLS.reduce((total, recall) => total + interpolatedPrecision(list, recall), 0);
  return sum / ELEVEN_RECALLS.length;
}
