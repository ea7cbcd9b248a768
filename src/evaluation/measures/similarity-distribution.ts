import { GranuleError } from '../../errors.js';
import type { JudgedList } from '../judged-list.js';

/** How far rounding may take a cosine out of [-1, 1]. */
const TOLERANCE = 1e-5;

/**
 * `msd`: 100 SD of one query; its mean is mSD, the mean similarity distribution. The scores are cosines; s = (score + 1) / 2, P the
 * relevant documents, k ranks:
 *
 *     SD = (1/|P|) sum over k in P of (sum over j <= k in P of s_j / sum over j <= k of s_j) x (1 - exp(-rho)),
 *     rho = mean of s over P / mean of s over the rest
 *
 * The list must hold the whole gallery. A relevant document that is absent adds 0 to the sum; the means are over the documents of
 * the list; rho is infinite where the rest is empty or has s = 0. 0 where no relevant document was retrieved. The similarities are
 * summed in rank order (the script released with the paper sums them in gallery order, which is another number).
 *
 * Source: "UFineBench: Towards Text-based Person Retrieval with Ultra-fine Granularity" (2024).
 *
 * @throws GranuleError `INVALID_ARGUMENT` for a score that is no cosine
 */
export function similarityDistribution(list: JudgedList): number {
  const { scores, relevance, relevanceLevel, relevantRanks, relevant } = list;
  if (relevantRanks.length === 0) return 0;
  let [positive, rest, sum] = [0, 0, 0];
  for (const [i, score] of scores.entries()) {
    if (!(Math.abs(score) <= 1 + TOLERANCE)) {
      throw new GranuleError('INVALID_ARGUMENT', `msd needs cosines from -1 to 1 as scores, got ${score}`, {
        score,
      });
    }
    const similarity = (Math.min(1, Math.max(-1, score)) + 1) / 2;
    if (relevance[i]! < relevanceLevel) {
      rest += similarity;
    } else {
      positive += similarity;
      sum += positive === 0 ? 0 : positive / (positive + rest);
    }
  }
  if (positive === 0) return 0;
  const positives = relevantRanks.length;
  const meanOfRest = rest === 0 ? 0 : rest / (scores.length - positives);
  const separation = positive / positives / meanOfRest;
  return ((100 * sum) / relevant) * (1 - Math.exp(-separation));
}
