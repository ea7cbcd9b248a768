import { GranuleError } from '../../../errors.js';
import type { JudgedList } from '../../../evaluation/judged-list.js';
import { normalisedGainAt } from '../../../evaluation/measures/discounted-gain.js';
import { reciprocalRankWithin } from '../../../evaluation/measures/reciprocal-rank.js';
import { checkWhole } from '../../../evaluation/option-checks.js';
import type { RankingAction } from './reward.js';

/**
 * Format: 1 where the ranking is a permutation of the candidates, or the beginning of one where fewer places are asked for; else 0.
 * Rankings that are drawn from a policy always are; those that a language model writes need not be.
 *
 * @param ranking - candidates by number, best first, as they were given
 * @param candidates - how many there are
 * @param places - how many places are asked for; all by default
 */
export function permutationReward(
  ranking: ArrayLike<number>,
  candidates: number,
  places = candidates,
): number {
  const distinct = new Set(Array.from(ranking));
  const known = [...distinct].every((i) => Number.isSafeInteger(i) && i >= 0 && i < candidates);
  return known && ranking.length === places && distinct.size === places ? 1 : 0;
}

/**
 * nDCG@k as a reward: the measure `ndcg_cut` of `granule/evaluation`, with the relevance as gain. The best order is over all judged
 * documents, so that a candidate that was lost before the ranking costs something. 0 where nothing is relevant.
 *
 * Source: "Cumulated Gain-based Evaluation of IR Techniques" (2002).
 *
 * @param k - 1 and more; default 10
 * @returns a reward, which throws GranuleError `INVALID_ARGUMENT` for a question without relevance
 * @throws GranuleError `INVALID_ARGUMENT` for a k that is no whole number from 1
 */
export function ndcgReward(k = 10): (action: RankingAction) => number {
  checkWhole(k, 1, Number.MAX_SAFE_INTEGER, 'k');
  return (action) => normalisedGainAt(judgedRanking(action), k);
}

/**
 * Reciprocal rank as a reward: 1 / rank of the first candidate with a relevance above 0 among the first k places, 0 where there is
 * none. The measure `mrr` of `granule/evaluation`.
 *
 * @param k - 1 and more; default 10
 * @returns a reward, which throws GranuleError `INVALID_ARGUMENT` for a question without relevance
 * @throws GranuleError `INVALID_ARGUMENT` for a k that is no whole number from 1
 */
export function reciprocalRankReward(k = 10): (action: RankingAction) => number {
  checkWhole(k, 1, Number.MAX_SAFE_INTEGER, 'k');
  return (action) => reciprocalRankWithin(judgedRanking(action), k);
}

/**
 * 1 where the candidate in the first place is one of the most relevant of all candidates, else 0; also 0 where no candidate is
 * relevant. Together with a format reward the rule of Rank-R1.
 *
 * Source: "Rank-R1: Enhancing Reasoning in LLM-based Document Rerankers via Reinforcement Learning" (2025).
 *
 * @throws GranuleError `INVALID_ARGUMENT` for a question without relevance
 */
export function bestFirstReward(action: RankingAction): number {
  const { relevance } = action.question;
  if (relevance === undefined) throw unjudged(action);
  const first = relevance[action.ranking[0] ?? -1] ?? 0;
  return first > 0 && first >= relevance.reduce((most, grade) => Math.max(most, grade)) ? 1 : 0;
}

function judgedRanking(action: RankingAction): JudgedList {
  const { ranking, question } = action;
  const { relevance, judged = relevance } = question;
  if (relevance === undefined || judged === undefined) throw unjudged(action);
  const grades = Int32Array.from(ranking, (candidate) => grade(relevance[candidate]));
  const best = Int32Array.from(judged, grade).sort().reverse();
  return {
    relevance: grades,
    scores: Float64Array.from(grades, (_, place) => -place),
    relevantRanks: Uint32Array.from(
      [...grades].flatMap((relevant, place) => (relevant > 0 ? [place + 1] : [])),
    ),
    judged: best,
    relevant: best.filter((relevant) => relevant > 0).length,
    relevanceLevel: 1,
  };
}

function grade(relevance: number | undefined): number {
  if (Number.isInteger(relevance) && Math.abs(relevance!) < 2 ** 31) return relevance!;
  throw new GranuleError('INVALID_ARGUMENT', `a relevance must be a whole number, got ${relevance}`);
}

function unjudged({ question: { id } }: RankingAction): GranuleError {
  return new GranuleError('INVALID_ARGUMENT', `question ${id} has no relevance to reward a ranking by`, {
    id,
  });
}
