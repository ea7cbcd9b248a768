import { describe, expect, test } from 'vitest';
import { SeededRandom } from '../../../../src/ranking/seeded-random.js';
import {
  filterGroupLoss,
  type GroupLossOptions,
  rankingGroupLoss,
} from '../../../../src/training/policies/group-loss.js';
import { plackettLuceLogProbability } from '../../../../src/training/policies/plackett-luce.js';
import { plackettLuceDivergence } from '../../../../src/training/policies/plackett-luce-divergence.js';
import { decisionAccuracyReward } from '../../../../src/training/policies/rewards/filter-rewards.js';
import { ndcgReward } from '../../../../src/training/policies/rewards/ranking-rewards.js';
import type { PolicyQuestion } from '../../../../src/training/policies/rollouts/rollout.js';
import { keptCandidates, rolloutFilter } from '../../../../src/training/policies/rollouts/rollout-filter.js';
import { rolloutRanking } from '../../../../src/training/policies/rollouts/rollout-ranking.js';
import { allRankings } from './finite-differences.js';

const FEATURES = 3;
const CANDIDATES = 5;

/** Questions whose relevance is the order of a hidden linear function of fixed features. */
const questions = Array.from({ length: 6 }, (_, q) => {
  const random = new SeededRandom(`question ${q}`);
  const features = Array.from({ length: CANDIDATES }, () =>
    Float64Array.from({ length: FEATURES }, () => random.normal()),
  );
  const value = features.map(([a, b, c]) => 1.5 * a! - b! + 0.5 * c!);
  const relevance = value.map((own) => value.filter((other) => other < own).length);
  return { id: `q${q}`, features, relevance };
});

function scoresOf(features: readonly Float64Array[], weights: Float64Array): Float64Array {
  return Float64Array.from(features, (row) => row.reduce((sum, x, i) => sum + x * weights[i]!, 0));
}

function asked(
  { id, features, relevance }: (typeof questions)[number],
  weights: Float64Array,
): PolicyQuestion {
  return {
    id,
    relevance,
    candidates: relevance.map((_, i) => `d${i}`),
    scores: Array.from(scoresOf(features, weights)),
  };
}

/** dL/dw of linear scores: the sum of dL/ds_i x_i. */
function carry(gradient: Float64Array, features: readonly Float64Array[], onto: Float64Array): void {
  for (const [i, row] of features.entries()) {
    for (let j = 0; j < FEATURES; j++) onto[j]! += (gradient[i]! * row[j]!) / questions.length;
  }
}

/** The mean over questions of the expected nDCG of a ranking that is drawn, over all 120 rankings. */
function expectedGain(weights: Float64Array): number {
  let sum = 0;
  for (const question of questions) {
    const { scores, ...rest } = asked(question, weights);
    for (const ranking of allRankings(CANDIDATES, CANDIDATES)) {
      const p = Math.exp(plackettLuceLogProbability(scores, ranking).logProbability);
      sum += (p * ndcgReward()({ question: { ...rest, scores }, ranking })) / questions.length;
    }
  }
  return sum;
}

function divergenceFrom(reference: Float64Array, weights: Float64Array): number {
  return Math.max(
    ...questions.map(({ features }) => {
      return plackettLuceDivergence(scoresOf(features, weights), scoresOf(features, reference)).divergence;
    }),
  );
}

/** Rounds of rollouts from the policy of the moment, each used for some epochs. */
async function train(options: GroupLossOptions, rounds: number, rate: number): Promise<Float64Array> {
  const start = new Float64Array(FEATURES);
  const weights = start.slice();
  for (let round = 0; round < rounds; round++) {
    const groups = await Promise.all(
      questions.map((question) =>
        rolloutRanking(asked(question, weights), {
          rewards: { ndcg: ndcgReward() },
          rollouts: 16,
          seed: round,
        }),
      ),
    );
    for (let epoch = 0; epoch < 3; epoch++) {
      const step = new Float64Array(FEATURES);
      for (const [q, { features }] of questions.entries()) {
        const reference = scoresOf(features, start);
        const { gradient } = rankingGroupLoss(groups[q]!, scoresOf(features, weights), {
          ...options,
          reference,
        });
        carry(gradient, features, step);
      }
      for (let j = 0; j < FEATURES; j++) weights[j]! -= rate * step[j]!;
    }
  }
  return weights;
}

describe('a linear scorer', () => {
  test('learns to rank from nDCG alone, over several epochs per round', async () => {
    expect(expectedGain(new Float64Array(FEATURES))).toBeLessThan(0.85);
    expect(expectedGain(await train({ beta: 0 }, 25, 1))).toBeGreaterThan(0.98);
  });

  test('learns the same weights every time', async () => {
    expect(await train({}, 4, 0.1)).toEqual(await train({}, 4, 0.1));
  });

  test('stays near the reference where beta is large, whichever way the divergence is computed', async () => {
    const start = new Float64Array(FEATURES);
    const distance = async (options: GroupLossOptions) =>
      divergenceFrom(start, await train(options, 12, 0.08));
    const free = await distance({ beta: 0 });
    expect(free).toBeGreaterThan(0.5);
    expect(await distance({ beta: 2, divergence: 'k3' })).toBeLessThan(free / 8);
    expect(await distance({ beta: 2, divergence: 'exact' })).toBeLessThan(free / 8);
  });

  test('learns to filter, and then to rank what it kept', async () => {
    const weights = new Float64Array(FEATURES);
    // The best two of five are to be kept.
    const labelled = questions.map((question) => {
      const relevance = question.relevance.map((rank) => (rank >= 3 ? 1 : 0));
      return { ...question, relevance };
    });
    for (let round = 0; round < 25; round++) {
      const step = new Float64Array(FEATURES);
      for (const question of labelled) {
        const group = await rolloutFilter(asked(question, weights), {
          rewards: { right: decisionAccuracyReward },
          rollouts: 16,
          seed: round,
        });
        const { gradient } = filterGroupLoss(group, scoresOf(question.features, weights), { beta: 0 });
        carry(gradient, question.features, step);
      }
      for (let j = 0; j < FEATURES; j++) weights[j]! -= step[j]!;
    }
    const kept = labelled.map((question) => asked(question, weights).scores.map((score) => score > 0));
    const right = labelled.map((question, q) =>
      decisionAccuracyReward({ question: asked(question, weights), kept: kept[q]! }),
    );
    expect(right.reduce((sum, share) => sum + share) / right.length).toBeGreaterThan(0.8);
    const first = asked(labelled[0]!, weights);
    const left = keptCandidates(first, kept[0]!, first.scores);
    const { rollouts } = await rolloutRanking(left, { rewards: { ndcg: ndcgReward() } });
    const relevant = left.relevance!.filter((grade) => grade > 0).length;
    expect(relevant).toBeGreaterThan(0);
    for (const { ranking, reward } of rollouts) {
      const gain = ranking.reduce((sum, i, place) => sum + left.relevance![i]! / Math.log2(place + 2), 0);
      expect(reward).toBeCloseTo(gain / (1 + 1 / Math.log2(3)), 14);
    }
  });
});
