import { GranuleError } from '../../../errors.js';
import { groupAdvantages } from '../group-advantages.js';
import { type Action, type Rewards, weightedReward } from '../rewards/reward.js';
import type { PolicyQuestion, Rollout } from './rollout.js';

/** Options of `rolloutRanking` and `rolloutFilter`. */
export interface RolloutOptions<Acted extends Action> {
  /** What a rollout earns, by name. */
  readonly rewards: Rewards<Acted>;
  /** G, how many rollouts a question gets; default 8. */
  readonly rollouts?: number;
  /** t in s / t; default 1. */
  readonly temperature?: number;
  /** Of the numbers drawn, together with the question's id; default 1. Another round over the same questions needs another seed. */
  readonly seed?: number | string;
  /** Added to the standard deviation of advantages; default 1e-8. */
  readonly epsilon?: number;
  /** Answers the question by the candidates, best first, or those that were kept; called once per rollout, all rollouts at once. */
  readonly answer?: (
    question: PolicyQuestion,
    candidates: readonly string[],
  ) => string | null | Promise<string | null>;
}

/** The defaults of `RolloutOptions`. */
export const ROLLOUT_DEFAULTS = { rollouts: 8, temperature: 1, seed: 1, epsilon: 1e-8 } as const;

/**
 * As many scores as candidates, and as many relevances where there are any.
 *
 * @throws GranuleError `LENGTH_MISMATCH`
 */
export function checkQuestion({ id, candidates, scores, relevance = scores }: PolicyQuestion): void {
  for (const [name, { length }] of Object.entries({ scores, relevance })) {
    if (length === candidates.length) continue;
    throw new GranuleError(
      'LENGTH_MISMATCH',
      `question ${id} has ${candidates.length} candidates and ${name} of ${length}`,
      { id, candidates: candidates.length, [name]: length },
    );
  }
}

/** A seed per question: what one question draws does not depend on the questions before it. */
export function questionSeed(seed: number | string, { id }: PolicyQuestion): string {
  return `${seed} ${id}`;
}

/** Answers where that is asked for, rewards every action, and compares each with its group. */
export async function rewarded<Drawn extends { readonly logProbability: number }, Acted extends Action>(
  question: PolicyQuestion,
  drawn: readonly Drawn[],
  describe: (drawn: Drawn) => {
    readonly candidates: readonly number[];
    readonly action: Omit<Acted, keyof Action>;
  },
  {
    rewards,
    epsilon,
    answer,
  }: Pick<RolloutOptions<Acted>, 'rewards' | 'answer'> & { readonly epsilon: number },
): Promise<(Drawn & Rollout)[]> {
  const earned = await Promise.all(
    drawn.map(async (one) => {
      const { candidates, action } = describe(one);
      const answered = answer && {
        answer: await answer(
          question,
          candidates.map((i) => question.candidates[i]!),
        ),
      };
      return {
        ...answered,
        ...(await weightedReward({ ...action, ...answered, question } as Acted, rewards)),
      };
    }),
  );
  const advantages = groupAdvantages(
    earned.map(({ reward }) => reward),
    { epsilon },
  );
  return drawn.map((one, i) => ({ ...one, ...earned[i]!, advantage: advantages[i]! }));
}
