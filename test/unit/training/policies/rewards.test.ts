import { describe, expect, test } from 'vitest';
import { evaluateRun } from '../../../../src/evaluation/index.js';
import {
  answerF1Reward,
  exactMatchReward,
} from '../../../../src/training/policies/rewards/answer-rewards.js';
import {
  decisionAccuracyReward,
  keptCountReward,
} from '../../../../src/training/policies/rewards/filter-rewards.js';
import {
  bestFirstReward,
  ndcgReward,
  permutationReward,
  reciprocalRankReward,
} from '../../../../src/training/policies/rewards/ranking-rewards.js';
import { weightedReward } from '../../../../src/training/policies/rewards/reward.js';
import type { PolicyQuestion } from '../../../../src/training/policies/rollouts/rollout.js';
import { allRankings, codeOf } from './finite-differences.js';

const question: PolicyQuestion = {
  id: 'q',
  candidates: ['a', 'b', 'c', 'd'],
  scores: [0, 0, 0, 0],
  relevance: [0, 2, 0, 1],
  answers: ['the Eiffel Tower', 'Eiffel Tower in Paris'],
};

describe('rewards of rankings', () => {
  test('nDCG@k and reciprocal rank are those of the evaluation', () => {
    const qrels = new Map([
      ['q', new Map(question.candidates.map((id, i) => [id, question.relevance![i]!] as const))],
    ]);
    for (const places of [1, 2, 4]) {
      for (const ranking of allRankings(4, places)) {
        const documents = ranking.map((i) => question.candidates[i]!);
        const scores = Float64Array.from(documents, (_, place) => -place);
        const run = { tag: 'policy', queries: new Map([['q', { documents, scores }]]) };
        const { perQuery } = evaluateRun(qrels, run, { measures: ['ndcg_cut.1,2,10', 'mrr.1,2,10'] });
        for (const k of [1, 2, 10]) {
          expect(ndcgReward(k)({ question, ranking })).toBe(perQuery.get(`ndcg_cut_${k}`)![0]);
          expect(reciprocalRankReward(k)({ question, ranking })).toBe(perQuery.get(`mrr_${k}`)![0]);
        }
      }
    }
  });

  test('nDCG misses a judged document that is no candidate', () => {
    const whole = { ...question, judged: [3, 2, 1, 0] };
    const ranking = [1, 3, 0, 2];
    expect(ndcgReward(4)({ question, ranking })).toBe(1);
    const best = 3 + 2 / Math.log2(3) + 1 / Math.log2(4);
    expect(ndcgReward(4)({ question: whole, ranking })).toBeCloseTo((2 + 1 / Math.log2(3)) / best, 14);
  });

  test('are 0 where nothing is relevant', () => {
    const nothing = { ...question, relevance: [0, 0, 0, 0] };
    const action = { question: nothing, ranking: [0, 1, 2, 3] };
    expect([ndcgReward()(action), reciprocalRankReward()(action), bestFirstReward(action)]).toEqual([
      0, 0, 0,
    ]);
  });

  test('format: a permutation, or the beginning of one', () => {
    expect(permutationReward([2, 0, 1], 3)).toBe(1);
    expect(permutationReward([2, 0], 3)).toBe(0);
    expect(permutationReward([2, 0], 3, 2)).toBe(1);
    expect(permutationReward([0, 1, 2], 3, 2)).toBe(0);
    expect(permutationReward([0, 1, 1], 3)).toBe(0);
    expect(permutationReward([0, 1, 3], 3)).toBe(0);
    expect(permutationReward([0, 1, -1], 3)).toBe(0);
    expect(permutationReward([0, 1, Number.NaN], 3)).toBe(0);
    expect(permutationReward([0, 1, 0.5], 3)).toBe(0);
  });

  test('first place: one of the most relevant', () => {
    expect([0, 1, 2, 3].map((first) => bestFirstReward({ question, ranking: [first] }))).toEqual([
      0, 1, 0, 0,
    ]);
    const two = { ...question, relevance: [1, 0, 0, 1] };
    expect([0, 1, 3].map((first) => bestFirstReward({ question: two, ranking: [first] }))).toEqual([1, 0, 1]);
    expect(bestFirstReward({ question, ranking: [] })).toBe(0);
  });

  test('are refused without relevance, or for what is none', () => {
    const { relevance: _, ...unjudged } = question;
    const action = { question: unjudged, ranking: [0] };
    for (const reward of [ndcgReward(), reciprocalRankReward(), bestFirstReward]) {
      expect(codeOf(() => reward(action))).toBe('INVALID_ARGUMENT');
    }
    const half = { question: { ...question, relevance: [0.5, 0, 0, 0] }, ranking: [0] };
    expect(codeOf(() => ndcgReward()(half))).toBe('INVALID_ARGUMENT');
    expect(codeOf(() => ndcgReward(0))).toBe('INVALID_ARGUMENT');
    expect(codeOf(() => reciprocalRankReward(1.5))).toBe('INVALID_ARGUMENT');
  });
});

describe('rewards of decisions', () => {
  test('accuracy is the share that was decided rightly', () => {
    expect(decisionAccuracyReward({ question, kept: [false, true, false, true] })).toBe(1);
    expect(decisionAccuracyReward({ question, kept: [true, true, true, true] })).toBe(0.5);
    expect(decisionAccuracyReward({ question, kept: [true, false, true, true] })).toBe(0.25);
    const { relevance: _, ...unjudged } = question;
    expect(codeOf(() => decisionAccuracyReward({ question: unjudged, kept: [true] }))).toBe(
      'INVALID_ARGUMENT',
    );
  });

  test('format: not empty, and within bounds', () => {
    const counts = [[], [true], [true, true, true]].map((kept) => [...kept, false]);
    expect(counts.map((kept) => keptCountReward()({ kept }))).toEqual([0, 1, 1]);
    expect(counts.map((kept) => keptCountReward(0, 2)({ kept }))).toEqual([1, 1, 0]);
    expect(counts.map((kept) => keptCountReward(2)({ kept }))).toEqual([0, 0, 1]);
    expect(counts.map((kept) => keptCountReward(0, 1)({ kept }))).toEqual([1, 1, 0]);
    expect(counts.map((kept) => keptCountReward(3, 3)({ kept }))).toEqual([0, 0, 1]);
    expect(codeOf(() => keptCountReward(2, 1))).toBe('INVALID_ARGUMENT');
    expect(codeOf(() => keptCountReward(-1))).toBe('INVALID_ARGUMENT');
  });
});

describe('rewards of answers', () => {
  test('are exact match and F1 of the evaluation', () => {
    expect(exactMatchReward({ question, answer: 'Eiffel tower' })).toBe(1);
    expect(exactMatchReward({ question, answer: 'the tower' })).toBe(0);
    expect(answerF1Reward({ question, answer: 'the tower' })).toBeCloseTo(2 / 3, 14);
    expect(answerF1Reward({ question, answer: null })).toBe(0);
  });

  test('are refused where there is nothing to compare', () => {
    expect(codeOf(() => exactMatchReward({ question }))).toBe('INVALID_ARGUMENT');
    const { answers: _, ...open } = question;
    expect(codeOf(() => answerF1Reward({ question: open, answer: 'x' }))).toBe('INVALID_ARGUMENT');
  });
});

describe('the weighted sum', () => {
  const action = { question, ranking: [1, 0, 2, 3] };

  test('adds weight x reward, and says what the parts were', async () => {
    const earned = await weightedReward(action, {
      ndcg: { reward: ndcgReward(1), weight: 0.5 },
      format: ({ ranking }) => permutationReward(ranking, 4),
      judge: { reward: async () => 3, weight: -2 },
    });
    expect(earned).toEqual({ rewards: { ndcg: 1, format: 1, judge: 3 }, reward: 0.5 + 1 - 6 });
  });

  test.each([
    ['a reward of NaN', { own: () => Number.NaN }, 'NOT_FINITE'],
    ['an infinite reward', { own: () => Infinity }, 'NOT_FINITE'],
    ['a weight of NaN', { own: { reward: () => 1, weight: Number.NaN } }, 'NOT_FINITE'],
    ['no reward', {}, 'INVALID_ARGUMENT'],
  ])('refuses %s', async (_, rewards, code) => {
    await expect(weightedReward(action, rewards)).rejects.toMatchObject({ code });
  });
});
