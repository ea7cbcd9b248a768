import { GranuleError } from '../../errors.js';
import { withDefaults } from '../../evaluation/option-checks.js';

/** Options of {@link groupAdvantages}. */
export interface AdvantageOptions {
  /** What is added to the standard deviation; default 1e-8. */
  readonly epsilon?: number;
}

/**
 * How much better each rollout of a group is than its group: A_i = (r_i - mean r) / (std r + epsilon) with the standard deviation of
 * the group itself (division by G). A group of equal rewards, also a group of one, has advantages of 0: it teaches nothing.
 *
 * Source: "DeepSeekMath: Pushing the Limits of Mathematical Reasoning in Open Language Models" (2024).
 *
 * @param rewards - of all rollouts of one question
 * @throws GranuleError `NOT_FINITE` for a reward that is no finite number; `INVALID_ARGUMENT` where there is none, or for an epsilon below 0
 */
export function groupAdvantages(rewards: ArrayLike<number>, options: AdvantageOptions = {}): Float64Array {
  const { epsilon } = withDefaults(options, { epsilon: 1e-8 }, 'groupAdvantages');
  if (!(epsilon >= 0 && Number.isFinite(epsilon))) {
    throw new GranuleError('INVALID_ARGUMENT', `epsilon must be a number of at least 0, got ${epsilon}`);
  }
  const values = Float64Array.from(rewards);
  if (values.length === 0) throw new GranuleError('INVALID_ARGUMENT', 'a group needs at least one rollout');
  for (const [i, reward] of values.entries()) checkReward(reward, `of rollout ${i}`);
  // Their mean may differ from equal rewards in the last digit.
  if (values.every((reward) => reward === values[0])) return new Float64Array(values.length);
  const mean = values.reduce((sum, reward) => sum + reward / values.length, 0);
  const variance = values.reduce((sum, reward) => sum + (reward - mean) ** 2 / values.length, 0);
  const scale = Math.sqrt(variance) + epsilon;
  return values.map((reward) => (reward - mean) / scale);
}

/** @throws GranuleError `NOT_FINITE` */
export function checkReward(reward: number, what: string): number {
  if (Number.isFinite(reward)) return reward;
  throw new GranuleError('NOT_FINITE', `the reward ${what} is ${reward}`, { reward: String(reward) });
}
