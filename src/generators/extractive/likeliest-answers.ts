import type { GeneratedAnswer } from '../generator.js';
import type { ParsedCandidate } from './passage-parse.js';

/**
 * The likeliest answers of a passage whose candidates have the scores s:
 *
 *     p(a | q, z) = sum over candidates c of text a of exp(s_c) / sum over all candidates and the null of the same
 *
 * Texts are compared by `normaliseAnswer`; the span given is that of the likeliest candidate. O(candidates).
 *
 * @param scores - finite, one per candidate
 * @param nullScore - of "the passage holds no answer"
 * @param most - of the answers, those that are given
 * @returns most probable first; of equals the one that stands first
 */
export function likeliestAnswers(
  candidates: readonly ParsedCandidate[],
  scores: ArrayLike<number>,
  nullScore: number,
  most: number,
): GeneratedAnswer[] {
  let largest = nullScore;
  for (let i = 0; i < candidates.length; i++) largest = Math.max(largest, scores[i]!);
  let total = Math.exp(nullScore - largest);
  const merged = new Map<string, { best: number; share: number }>();
  for (const [i, { normalised }] of candidates.entries()) {
    const share = Math.exp(scores[i]! - largest);
    total += share;
    const same = merged.get(normalised);
    if (same === undefined) merged.set(normalised, { best: i, share });
    else {
      same.share += share;
      if (scores[i]! > scores[same.best]!) same.best = i;
    }
  }
  return [...merged.values()]
    .filter(({ share }) => share > 0)
    .sort((a, b) => b.share - a.share || a.best - b.best)
    .slice(0, most)
    .map(({ best, share }) => {
      const { text, span } = candidates[best]!;
      return { text, span, logProbability: Math.min(0, Math.log(share / total)) };
    });
}
