import type { JudgedList } from '../judged-list.js';

/** `utility`: relevant documents that were retrieved, less the other documents that were retrieved. */
export function utility({ relevance, relevantRanks }: JudgedList): number {
  return 2 * relevantRanks.length - relevance.length;
}
