import { isJudgedNonRelevant, type JudgedList } from '../judged-list.js';

const EPSILON = 1e-5;

/**
 * `infAP`: average precision estimated where only a sample of the pool was judged. A relevant document at rank k, below r relevant,
 * n judged non-relevant and u pooled but not judged ones, adds
 *
 *     1/k + ((k-1)/k) ((r + n + u)/(k-1)) ((r + e)/(r + n + 2 e)),   e = 0.00001
 *
 * and 1 at rank 1. The sum is divided by R; 0 where R = 0.
 *
 * Source: "Estimating Average Precision with Incomplete and Imperfect Judgments" (2006).
 */
export function inferredAveragePrecision({ relevance, relevanceLevel, relevant }: JudgedList): number {
  if (relevant === 0) return 0;
  let [relevantAbove, nonRelevantAbove, unjudgedAbove, sum] = [0, 0, 0, 0];
  for (const [above, grade] of relevance.entries()) {
    if (grade >= relevanceLevel) {
      const pooledAbove = relevantAbove + nonRelevantAbove + unjudgedAbove;
      const precision = (relevantAbove + EPSILON) / (relevantAbove + nonRelevantAbove + 2 * EPSILON);
      sum += (1 + pooledAbove * precision) / (above + 1);
      relevantAbove += 1;
    } else if (isJudgedNonRelevant(grade, relevanceLevel)) {
      nonRelevantAbove += 1;
    } else if (grade === -1) {
      unjudgedAbove += 1;
    }
  }
  return sum / relevant;
}
