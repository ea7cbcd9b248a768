import type { JudgedList } from '../judged-list.js';

/**
 * `rbp`: (1 - p) sum over ranks r of (relevance_r / m) p^(r-1), where m is the greatest relevance judged for the query and p the
 * persistence: how likely a reader goes on to the next document.
 *
 * Source: "Rank-Biased Precision for Measurement of Retrieval Effectiveness" (2008).
 */
export function rankBiasedPrecision({ relevance, judged }: JudgedList, persistence: number): number {
  const greatest = judged[0] ?? 0;
  if (greatest === 0) return 0;
  let weight = 1 - persistence;
  let sum = 0;
  for (const grade of relevance) {
    if (grade > 0) sum += (weight * grade) / greatest;
    weight *= persistence;
  }
  return sum;
}

/**
 * `rbp_resid`: what `rbp` could still gain if every document without a judgement, and every one beyond the end of the list, were of
 * the greatest relevance: their weights added up. 0 where nothing was retrieved, as in trec_eval.
 */
export function rankBiasedResidual({ relevance }: JudgedList, persistence: number): number {
  if (relevance.length === 0) return 0;
  let weight = 1 - persistence;
  let sum = 0;
  for (const grade of relevance) {
    if (grade < 0) sum += weight;
    weight *= persistence;
  }
  return sum + persistence ** relevance.length;
}
