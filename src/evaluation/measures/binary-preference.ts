import { isJudgedNonRelevant, type JudgedList } from '../judged-list.js';

/**
 * `bpref`: (1/R) sum over relevant documents that were retrieved of 1 - min(n, R) / min(N, R), where n judged non-relevant
 * documents stand above it, N were judged in all; a document with n = 0 adds 1. Documents without a judgement are passed over.
 *
 * Source: "Retrieval Evaluation with Incomplete Information" (2004), as trec_eval computes it since its version 8.
 */
export function binaryPreference(list: JudgedList): number {
  const { relevance, relevanceLevel, relevant, judged } = list;
  if (relevant === 0) return 0;
  const most = Math.min(judged.length - relevant, relevant);
  let nonRelevantAbove = 0;
  let sum = 0;
  for (const grade of relevance) {
    if (grade >= relevanceLevel) {
      sum += nonRelevantAbove === 0 ? 1 : 1 - Math.min(nonRelevantAbove, relevant) / most;
    } else if (isJudgedNonRelevant(grade, relevanceLevel)) {
      nonRelevantAbove += 1;
    }
  }
  return sum / relevant;
}
