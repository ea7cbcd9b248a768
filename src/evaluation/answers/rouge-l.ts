import { harmonicMean } from './answer-tokens.js';

/** How much of two texts' words stand in both in the same order. */
export interface RougeScores {
  readonly precision: number;
  readonly recall: number;
  readonly f1: number;
}

/**
 * ROUGE-L of a span: with L the length of the longest common subsequence of words, precision L / |answer|, recall L / |reference|
 * and F1 = 2PR/(P+R), the paper's F with beta = 1. Words are runs of letters, marks and digits in lower case, without stemming; all
 * three are 0 where a side has no word. O(|answer| |reference|).
 *
 * Source: "ROUGE: A Package for Automatic Evaluation of Summaries" (2004).
 */
export function rougeL(answer: string, reference: string): RougeScores {
  const given = words(answer);
  const wanted = words(reference);
  const common = longestCommonSubsequence(given, wanted);
  if (common === 0) return { precision: 0, recall: 0, f1: 0 };
  const precision = common / given.length;
  const recall = common / wanted.length;
  return { precision, recall, f1: harmonicMean(precision, recall) };
}

function words(text: string): string[] {
  return text.toLowerCase().match(/[\p{L}\p{M}\p{N}]+/gu) ?? [];
}

function longestCommonSubsequence(one: readonly string[], other: readonly string[]): number {
  let above = new Uint32Array(other.length + 1);
  for (const word of one) {
    const row = new Uint32Array(other.length + 1);
    for (const [i, candidate] of other.entries()) {
      row[i + 1] = word === candidate ? above[i]! + 1 : Math.max(above[i + 1]!, row[i]!);
    }
    above = row;
  }
  return above[other.length]!;
}
