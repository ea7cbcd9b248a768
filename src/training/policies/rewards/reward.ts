import { GranuleError } from '../../../errors.js';
import { checkReward } from '../group-advantages.js';
import type { PolicyQuestion } from '../rollouts/rollout.js';

/** What a policy did about a question. */
export interface Action {
  readonly question: PolicyQuestion;
  /** Absent where none was asked for; null where none could be given. */
  readonly answer?: string | null;
}

/** A ranking. */
export interface RankingAction extends Action {
  /** Candidates by number, best first. */
  readonly ranking: readonly number[];
}

/** Decisions to keep candidates. */
export interface FilterAction extends Action {
  /** Whether each candidate is kept. */
  readonly kept: readonly boolean[];
}

/** What an action is worth: any function of it; a judge may take its time. */
export type Reward<Acted extends Action> = (action: Acted) => number | Promise<number>;

/** A reward with its weight in the sum. */
export interface WeightedReward<Acted extends Action> {
  readonly reward: Reward<Acted>;
  /** Any finite number. */
  readonly weight: number;
}

/** Rewards by name; one without a weight has 1. */
export type Rewards<Acted extends Action> = Readonly<Record<string, Reward<Acted> | WeightedReward<Acted>>>;

/** What an action earned. */
export interface Earned {
  /** Each reward by its name, before weighting. */
  readonly rewards: Readonly<Record<string, number>>;
  /** sum of weight x reward. */
  readonly reward: number;
}

/**
 * The weighted sum of rewards, with its parts, one after the other in the order of their names' listing.
 *
 * @throws GranuleError `NOT_FINITE` for a reward or a weight that is no finite number; `INVALID_ARGUMENT` where there is no reward
 */
export async function weightedReward<Acted extends Action>(
  action: Acted,
  rewards: Rewards<Acted>,
): Promise<Earned> {
  const parts: [string, number][] = [];
  let sum = 0;
  for (const [name, part] of Object.entries(rewards)) {
    const { reward, weight } = typeof part === 'function' ? { reward: part, weight: 1 } : part;
    const value = checkReward(await reward(action), `${name} of question ${action.question.id}`);
    parts.push([name, value]);
    sum += checkReward(weight * value, `${name}, weighted by ${weight},`);
  }
  if (parts.length === 0) throw new GranuleError('INVALID_ARGUMENT', 'a policy needs at least one reward');
  return { rewards: Object.fromEntries(parts), reward: checkReward(sum, 'of all parts') };
}
