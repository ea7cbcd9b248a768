import { checkWhole, withDefaults } from '../../../evaluation/option-checks.js';
import { plackettLuceLogProbability, plackettLuceSamples } from '../plackett-luce.js';
import type { RankingAction } from '../rewards/reward.js';
import { checkQuestion, questionSeed, ROLLOUT_DEFAULTS, type RolloutOptions, rewarded } from './roll-out.js';
import type { PolicyQuestion, RankingGroup } from './rollout.js';

/** Options of {@link rolloutRanking}. */
export interface RolloutRankingOptions extends RolloutOptions<RankingAction> {
  /** m, how many places are ranked; all candidates by default. */
  readonly places?: number;
}

/**
 * The listwise stage: draws rankings of a question's candidates from the Plackett-Luce policy of its scores, has the question answered by
 * each where an `answer` is given, and rewards ranking and answer together. The same seed and question give the same rankings.
 *
 * @throws GranuleError as `plackettLuceSamples`, `weightedReward` and `groupAdvantages`, and whatever `answer` and the rewards throw
 */
export async function rolloutRanking(
  question: PolicyQuestion,
  options: RolloutRankingOptions,
): Promise<RankingGroup> {
  const { scores, candidates } = question;
  const { rewards, answer, ...own } = options;
  const { rollouts, temperature, seed, epsilon, places } = withDefaults(
    own,
    { ...ROLLOUT_DEFAULTS, places: candidates.length } as Required<typeof own>,
    'rolloutRanking',
  );
  checkQuestion(question);
  checkWhole(rollouts, 1, 1e9, 'rollouts');
  const rankings = plackettLuceSamples(scores, {
    count: rollouts,
    temperature,
    places,
    seed: questionSeed(seed, question),
  });
  const drawn = rankings.map((places) => {
    const ranking = Array.from(places);
    const { logProbability } = plackettLuceLogProbability(scores, ranking, { temperature });
    return { ranking, logProbability };
  });
  return {
    policy: 'plackett-luce',
    question,
    temperature,
    rollouts: await rewarded<(typeof drawn)[number], RankingAction>(
      question,
      drawn,
      ({ ranking }) => ({ candidates: ranking, action: { ranking } }),
      { rewards, epsilon, ...(answer && { answer }) },
    ),
  };
}
