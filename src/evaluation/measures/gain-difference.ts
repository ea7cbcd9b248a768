import type { JudgedList } from '../judged-list.js';

/**
 * `binG`: (1/R) sum over relevant documents that were retrieved of 1 / log2(2 + n), where n documents above it are not relevant,
 * judged or not. 0 where R = 0.
 */
export function binaryGainDifference({ relevantRanks, relevant }: JudgedList): number {
  if (relevant === 0) return 0;
  let sum = 0;
  for (const [i, rank] of relevantRanks.entries()) sum += 1 / Math.log2(2 + rank - 1 - i);
  return sum / relevant;
}

/**
 * `G`: sum over retrieved documents with gain g > 0 of g / log2(2 + I - C), divided by the sum of all judged gains. C is the gain
 * that the list has brought up to and with this rank, I what the best list would have; once the best list has run out of gains, I
 * grows by 1 per rank. The gain is the relevance, whatever the relevance level is. 0 where nothing has gain.
 *
 * Measures of trec_eval itself, after Buckley.
 */
export function gainDifference({ relevance, judged }: JudgedList): number {
  const total = judged.reduce((sum, grade) => sum + grade, 0);
  if (total === 0) return 0;
  let [ideal, brought, sum] = [0, 0, 0];
  for (const [i, grade] of relevance.entries()) {
    // judged[i] is 0 where only documents without gain are left.
    ideal += judged[i] || 1;
    if (grade <= 0) continue;
    brought += grade;
    sum += grade / Math.log2(2 + ideal - brought);
  }
  return sum / total;
}
