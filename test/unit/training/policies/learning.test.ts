import { describe, expect, test } from 'vitest';
import { SeededRandom } from '../../../../src/ranking/seeded-random.js';
import {
  decisionAccuracyReward,
  filterGroupLoss,
  type GroupLossOptions,
  keptCandidates,
  ndcgReward,
  type PolicyQuestion,
  plackettLuceDivergence,
  plackettLuceLogProbability,
  rankingGroupLoss,
  rolloutFilter,
  rolloutRanking,
} from '../../../../src/training/policies/index.js';
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
    const weights = await train({ beta: 0 }, 60, 1);
    expect(expectedGain(weights)).toBeGreaterThan(0.98);
    expect(await train({ beta: 0 }, 60, 1)).toEqual(weights);
  });

  test.each(['k3', 'exact'] as const)(
    'stays near the reference where beta is large (%s)',
    async (divergence) => {
      const start = new Float64Array(FEATURES);
      const free = divergenceFrom(start, await train({ beta: 0 }, 10, 0.2));
      const held = divergenceFrom(start, await train({ beta: 3, divergence }, 10, 0.2));
      expect(free).toBeGreaterThan(0.5);
      expect(held).toBeLessThan(free / 20);
    },
  );

  test('learns to filter, and then to rank what it kept', async () => {
    const weights = new Float64Array(FEATURES);
    // The best two of five are to be kept; a last feature of 1 would be a bias, and the median serves as one here.
    const labelled = questions.map((question) => {
      const relevance = question.relevance.map((rank) => (rank >= 3 ? 1 : 0));
      return { ...question, relevance };
    });
    for (let round = 0; round < 60; round++) {
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
    const left = keptCandidates(
      asked(questions[0]!, weights),
      kept[0]!,
      asked(questions[0]!, weights).scores,
    );
    const { rollouts } = await rolloutRanking(left, { rewards: { ndcg: ndcgReward() } });
    expect(Math.max(...rollouts.map(({ reward }) => reward))).toBeGreaterThan(0.7);
  });
});
