import { describe, expect, test } from 'vitest';
import { bernoulliDivergence } from '../../../../src/training/policies/bernoulli.js';
import {
  filterGroupLoss,
  type GroupLoss,
  type GroupLossOptions,
  rankingGroupLoss,
} from '../../../../src/training/policies/group-loss.js';
import { plackettLuceDivergence } from '../../../../src/training/policies/plackett-luce-divergence.js';
import type { FilterGroup, RankingGroup } from '../../../../src/training/policies/rollouts/rollout.js';
import { rolloutFilter } from '../../../../src/training/policies/rollouts/rollout-filter.js';
import { rolloutRanking } from '../../../../src/training/policies/rollouts/rollout-ranking.js';
import { codeOf, expectGradient, randomScores } from './finite-differences.js';

function question(candidates: number, seed: number) {
  return {
    id: `q${seed}`,
    candidates: Array.from({ length: candidates }, (_, i) => `d${i}`),
    scores: Array.from(randomScores(candidates, seed)),
  };
}

/** A reward that tells nearly all actions apart. */
const RANKING = {
  rewards: {
    first: ({ ranking }: { ranking: readonly number[] }) => Math.sin(1 + ranking[0]! + 7 * (ranking[1] ?? 0)),
  },
};
const FILTER = {
  rewards: {
    kept: ({ kept }: { kept: readonly boolean[] }) =>
      Math.sin(kept.reduce((sum, keep, i) => sum + (keep ? i + 1 : 0), 0)),
  },
};

const CASES = [1, 2, 5].flatMap((candidates) =>
  [1, 2, 3].flatMap((seed) =>
    (['k3', 'exact'] as const).map((divergence) => ({ candidates, seed, divergence })),
  ),
);

describe.each(CASES)(
  'a group of $candidates candidates, $divergence, seed $seed',
  ({ candidates, seed, divergence }) => {
    const present = randomScores(candidates, seed).map((score, i) => score + 0.3 * Math.cos(i + seed));
    const reference = randomScores(candidates, seed + 30);

    async function holds(
      loss: (scores: Float64Array, options: GroupLossOptions) => GroupLoss,
      exact: (temperature: number) => number,
    ) {
      const options = { beta: 0.7, divergence, reference };
      const { gradient, divergence: found, loss: value } = loss(present, options);
      expectGradient(gradient, (at) => loss(at, options).loss, present);
      const without = loss(present, { ...options, beta: 0 });
      expect(value).toBeCloseTo(without.loss + 0.7 * found, 12);
      if (divergence === 'exact') expect(found).toBe(exact(1.3));
    }

    test('of rankings has the gradient of differences', async () => {
      const places = Math.min(candidates, seed + 1);
      const group = await rolloutRanking(question(candidates, seed), {
        ...RANKING,
        places,
        temperature: 1.3,
        rollouts: 6,
      });
      await holds(
        (scores, options) => rankingGroupLoss(group, scores, options),
        (temperature) => plackettLuceDivergence(present, reference, { temperature, places }).divergence,
      );
    });

    test('of decisions has the gradient of differences', async () => {
      const group = await rolloutFilter(question(candidates, seed), {
        ...FILTER,
        temperature: 1.3,
        rollouts: 6,
      });
      await holds(
        (scores, options) => filterGroupLoss(group, scores, options),
        (temperature) => bernoulliDivergence(present, reference, { temperature }).divergence,
      );
    });
  },
);

describe('a group', () => {
  test('takes as reference what it was drawn with', async () => {
    const asked = question(4, 1);
    const group = await rolloutRanking(asked, RANKING);
    const scores = randomScores(4, 9);
    expect(rankingGroupLoss(group, scores)).toEqual(
      rankingGroupLoss(group, scores, { reference: asked.scores }),
    );
    const { divergence, clipped } = rankingGroupLoss(group, asked.scores);
    expect([divergence, clipped]).toEqual([0, 0]);
  });

  test('is at its own scores where it was drawn, at its own temperature', async () => {
    const options = { temperature: 2, rollouts: 12 };
    const ranked = await rolloutRanking(question(4, 3), { ...RANKING, ...options });
    const kept = await rolloutFilter(question(4, 3), { ...FILTER, ...options });
    for (const { loss, divergence, gradient } of [
      rankingGroupLoss(ranked, ranked.question.scores),
      filterGroupLoss(kept, kept.question.scores),
    ]) {
      expect(loss).toBeCloseTo(0, 12);
      expect(divergence).toBe(0);
      expect(gradient.some((slope) => Math.abs(slope) > 0.01)).toBe(true);
    }
  });

  test('serves several epochs: the ratio leaves 1, and what went far enough is clipped', async () => {
    const group = await rolloutRanking(question(5, 2), { ...RANKING, rollouts: 16 });
    const scores = Float64Array.from(group.question.scores);
    const losses = Array.from({ length: 40 }, () => {
      const { loss, gradient, clipped } = rankingGroupLoss(group, scores, { beta: 0 });
      for (let i = 0; i < scores.length; i++) scores[i]! -= 0.3 * gradient[i]!;
      return { loss, clipped };
    });
    expect(losses[0]!.loss).toBeCloseTo(0, 12);
    expect(losses[0]!.clipped).toBe(0);
    for (let i = 1; i < 6; i++) expect(losses[i]!.loss).toBeLessThan(losses[i - 1]!.loss);
    expect(losses.at(-1)!.clipped).toBeGreaterThan(0);
    expect(losses.at(-1)!.loss).toBeLessThan(-0.05);
  });

  test('of one rollout, or of equal rewards, pulls only towards the reference', async () => {
    const scores = randomScores(4, 5);
    for (const options of [
      { ...RANKING, rollouts: 1 },
      { rewards: { same: () => 0.1 }, rollouts: 5 },
    ]) {
      const group = await rolloutRanking(question(4, 4), options);
      expect(Math.max(...rankingGroupLoss(group, scores, { beta: 0 }).gradient.map(Math.abs))).toBe(0);
      expect(rankingGroupLoss(group, scores, { divergence: 'exact' }).loss).toBeGreaterThan(0);
    }
  });

  test('of scores of +-1000 is finite', async () => {
    const scores = [1000, -1000, 0, 1000];
    const ranked = await rolloutRanking({ ...question(4, 1), scores }, RANKING);
    const kept = await rolloutFilter({ ...question(4, 1), scores }, FILTER);
    for (const divergence of ['k3', 'exact'] as const) {
      for (const { loss, gradient } of [
        rankingGroupLoss(ranked, scores, { divergence }),
        filterGroupLoss(kept, scores, { divergence }),
      ]) {
        expect([loss, ...gradient].every(Number.isFinite)).toBe(true);
      }
    }
  });

  test('refuses what does not belong to it', async () => {
    const ranked: RankingGroup = await rolloutRanking(question(3, 1), RANKING);
    const kept: FilterGroup = await rolloutFilter(question(3, 1), FILTER);
    expect(codeOf(() => rankingGroupLoss(ranked, [1, 2]))).toBe('LENGTH_MISMATCH');
    expect(codeOf(() => filterGroupLoss(kept, [1, 2, 3, 4]))).toBe('LENGTH_MISMATCH');
    for (const reference of [[1], [1, 2, 3, 4]]) {
      for (const divergence of ['k3', 'exact'] as const) {
        const options = { reference, divergence };
        expect(codeOf(() => rankingGroupLoss(ranked, [1, 2, 3], options))).toBe('LENGTH_MISMATCH');
        expect(codeOf(() => filterGroupLoss(kept, [1, 2, 3], options))).toBe('LENGTH_MISMATCH');
      }
    }
    expect(codeOf(() => rankingGroupLoss(ranked, [1, 2, 3], { beta: -1, divergence: 'exact' }))).toBe(
      'INVALID_ARGUMENT',
    );
    expect(codeOf(() => rankingGroupLoss(ranked, [1, 2, 3], { divergence: 'k2' as 'k3' }))).toBe(
      'INVALID_ARGUMENT',
    );
    expect(codeOf(() => rankingGroupLoss({ ...ranked, rollouts: [] }, [1, 2, 3]))).toBe('INVALID_ARGUMENT');
  });
});
