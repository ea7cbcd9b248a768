import type { JudgedList } from '../judged-list.js';

/** `set_P`: relevant documents that were retrieved, divided by all that were retrieved. 0 where nothing was retrieved. */
export function setPrecision({ relevance, relevantRanks }: JudgedList): number {
  return relevance.length === 0 ? 0 : relevantRanks.length / relevance.length;
}

/** `set_recall`: relevant documents that were retrieved, divided by R. 0 where R = 0. */
export function setRecall({ relevantRanks, relevant }: JudgedList): number {
  return relevant === 0 ? 0 : relevantRanks.length / relevant;
}

/** `set_relative_P`: relevant documents that were retrieved, divided by the most that are possible, min(retrieved, R). */
export function setRelativePrecision({ relevance, relevantRanks, relevant }: JudgedList): number {
  const most = Math.min(relevance.length, relevant);
  return most === 0 ? 0 : relevantRanks.length / most;
}

/** `set_map`: set_P x set_recall. */
export function setAveragePrecision(list: JudgedList): number {
  return setPrecision(list) * setRecall(list);
}

/** `set_F`: (x + 1) P R / (R + x P) with P = set_P and R = set_recall; x = 1 weighs both alike. 0 where both are 0. */
export function setF(list: JudgedList, x: number): number {
  const precision = setPrecision(list);
  const recall = setRecall(list);
  return precision === 0 ? 0 : ((x + 1) * precision * recall) / (recall + x * precision);
}
