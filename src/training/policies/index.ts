/**
 * Rule-based reinforcement over scores: policies that rank or filter candidates, rewards, group relative policy optimisation, and
 * rollouts as plain data.
 *
 * @module
 */
export {
  type BernoulliOptions,
  type BernoulliSampleOptions,
  bernoulliDivergence,
  bernoulliEntropy,
  bernoulliLogProbability,
  bernoulliSamples,
} from './bernoulli.js';
export { type AdvantageOptions, groupAdvantages } from './group-advantages.js';
export { filterGroupLoss, type GroupLoss, type GroupLossOptions, rankingGroupLoss } from './group-loss.js';
export { type GrpoGroup, type GrpoLoss, type GrpoOptions, grpoLoss } from './grpo.js';
export {
  type LogProbability,
  type PlackettLuceOptions,
  type PlackettLuceSampleOptions,
  plackettLuceLogProbability,
  plackettLuceSamples,
} from './plackett-luce.js';
export {
  type Divergence,
  type PlackettLuceDivergenceOptions,
  plackettLuceDivergence,
  plackettLuceDivergenceEstimate,
} from './plackett-luce-divergence.js';
export {
  type Entropy,
  type PlackettLuceEstimateOptions,
  plackettLuceEntropy,
  plackettLuceFirstEntropy,
} from './plackett-luce-entropy.js';
export { answerF1Reward, exactMatchReward } from './rewards/answer-rewards.js';
export { decisionAccuracyReward, keptCountReward } from './rewards/filter-rewards.js';
export {
  bestFirstReward,
  ndcgReward,
  permutationReward,
  reciprocalRankReward,
} from './rewards/ranking-rewards.js';
export {
  type Action,
  type Earned,
  type FilterAction,
  type RankingAction,
  type Reward,
  type Rewards,
  type WeightedReward,
  weightedReward,
} from './rewards/reward.js';
export type { RolloutOptions } from './rollouts/roll-out.js';
export type {
  FilterGroup,
  FilterRollout,
  PolicyQuestion,
  RankingGroup,
  RankingRollout,
  Rollout,
  RolloutGroup,
} from './rollouts/rollout.js';
export { readRollouts, writeRollouts } from './rollouts/rollout-file.js';
export { keptCandidates, rolloutFilter } from './rollouts/rollout-filter.js';
export { type RolloutRankingOptions, rolloutRanking } from './rollouts/rollout-ranking.js';
export type { Estimate } from './sample-mean.js';
