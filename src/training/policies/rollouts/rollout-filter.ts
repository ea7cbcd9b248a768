import { GranuleError } from '../../../errors.js';
import { checkWhole, withDefaults } from '../../../evaluation/option-checks.js';
import { bernoulliLogProbability, bernoulliSamples } from '../bernoulli.js';
import type { FilterAction } from '../rewards/reward.js';
import { checkQuestion, questionSeed, ROLLOUT_DEFAULTS, type RolloutOptions, rewarded } from './roll-out.js';
import type { FilterGroup, PolicyQuestion } from './rollout.js';

/**
 * The pointwise stage: draws decisions to keep or drop a question's candidates from the Bernoulli policy of its scores, has the question
 * answered by those that are kept where an `answer` is given, and rewards decisions and answer together. The same seed and question
 * give the same decisions.
 *
 * All candidates of a group share its rewards. To judge each by itself, make it a question with one candidate.
 *
 * @throws GranuleError as `bernoulliSamples`, `weightedReward` and `groupAdvantages`, and whatever `answer` and the rewards throw
 */
export async function rolloutFilter(
  question: PolicyQuestion,
  options: RolloutOptions<FilterAction>,
): Promise<FilterGroup> {
  const { scores } = question;
  const { rewards, answer, ...own } = options;
  const { rollouts, temperature, seed, epsilon } = withDefaults<Required<typeof own>>(
    own,
    ROLLOUT_DEFAULTS,
    'rolloutFilter',
  );
  checkQuestion(question);
  checkWhole(rollouts, 1, 1e9, 'rollouts');
  const decisions = bernoulliSamples(scores, {
    count: rollouts,
    temperature,
    seed: questionSeed(seed, question),
  });
  const drawn = decisions.map((kept) => {
    return { kept, logProbability: bernoulliLogProbability(scores, kept, { temperature }).logProbability };
  });
  return {
    policy: 'bernoulli',
    question,
    temperature,
    rollouts: await rewarded<(typeof drawn)[number], FilterAction>(
      question,
      drawn,
      ({ kept }) => ({ candidates: kept.flatMap((keep, i) => (keep ? [i] : [])), action: { kept } }),
      { rewards, epsilon, ...(answer && { answer }) },
    ),
  };
}

/**
 * The question that is left for the ranking after a filter: its kept candidates with their relevance. What was judged stays whole,
 * so that nDCG still misses a relevant candidate that was dropped.
 *
 * @param kept - whether each candidate is kept
 * @param scores - the ranking policy's score of each candidate of `question`, kept or not
 * @throws GranuleError `LENGTH_MISMATCH`; `INVALID_ARGUMENT` where nothing is kept
 */
export function keptCandidates(
  question: PolicyQuestion,
  kept: readonly boolean[],
  scores: ArrayLike<number>,
): PolicyQuestion {
  const { candidates, relevance, judged = relevance } = question;
  if (kept.length !== candidates.length || scores.length !== candidates.length) {
    throw new GranuleError(
      'LENGTH_MISMATCH',
      `${kept.length} decisions and ${scores.length} scores are about ${candidates.length} candidates`,
      { decisions: kept.length, scores: scores.length, candidates: candidates.length },
    );
  }
  if (!kept.includes(true)) {
    throw new GranuleError('INVALID_ARGUMENT', `question ${question.id} has no candidate that is kept`, {
      id: question.id,
    });
  }
  return {
    ...question,
    candidates: candidates.filter((_, i) => kept[i]),
    scores: Array.from(scores).filter((_, i) => kept[i]),
    ...(relevance && { relevance: relevance.filter((_, i) => kept[i]) }),
    ...(judged && { judged }),
  };
}
