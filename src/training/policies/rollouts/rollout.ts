/** A rollout: one action of a policy, and what it earned. */
export interface Rollout {
  /** ln p of the action under the policy that it was drawn from. */
  readonly logProbability: number;
  /** The answer that was given after it; absent where none was asked for. */
  readonly answer?: string | null;
  /** Each reward by its name, before weighting. */
  readonly rewards: Readonly<Record<string, number>>;
  /** Their weighted sum. */
  readonly reward: number;
  /** See `groupAdvantages`. */
  readonly advantage: number;
}

/** A ranking drawn from a Plackett-Luce policy. */
export interface RankingRollout extends Rollout {
  /** Candidates by number, best first. */
  readonly ranking: readonly number[];
}

/** Decisions drawn from a Bernoulli policy. */
export interface FilterRollout extends Rollout {
  /** Whether each candidate is kept. */
  readonly kept: readonly boolean[];
}

/** A question and its candidates: what rollouts are drawn for. Plain data. */
export interface PolicyQuestion {
  /** Tells questions apart; the seed of its rollouts depends on it. */
  readonly id: string;
  /** The question as a model would be asked it. */
  readonly prompt?: string;
  /** Ids of the candidates. */
  readonly candidates: readonly string[];
  /** The policy's score of each. */
  readonly scores: readonly number[];
  /** How relevant each candidate is: whole numbers, 0 where it is not. */
  readonly relevance?: readonly number[];
  /** The relevance of every judged document of the question, candidate or not; that of the candidates by default. */
  readonly judged?: readonly number[];
  /** Accepted answers. */
  readonly answers?: readonly string[];
}

interface RolloutGroupOf<Policy extends string, Action extends Rollout> {
  readonly policy: Policy;
  readonly question: PolicyQuestion;
  /** t in s / t. */
  readonly temperature: number;
  readonly rollouts: readonly Action[];
}

/** All rollouts of one question from its Plackett-Luce policy. */
export type RankingGroup = RolloutGroupOf<'plackett-luce', RankingRollout>;

/** All rollouts of one question from its Bernoulli policy. */
export type FilterGroup = RolloutGroupOf<'bernoulli', FilterRollout>;

/** All rollouts of one question. Plain data: it goes through JSON unchanged. */
export type RolloutGroup = RankingGroup | FilterGroup;
