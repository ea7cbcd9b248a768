import { describe, expect, test } from 'vitest';
import { SeededRandom } from '../../../../src/ranking/seeded-random.js';
import { groupAdvantages } from '../../../../src/training/policies/group-advantages.js';
import { grpoLoss } from '../../../../src/training/policies/grpo.js';
import { codeOf, expectGradient } from './finite-differences.js';

describe('advantages', () => {
  test('have mean 0 and deviation 1 within their group', () => {
    expect([...groupAdvantages([1, 0, 0, 1])]).toEqual([1, -1, -1, 1].map((sign) => sign / (1 + 2e-8)));
    const random = new SeededRandom(1);
    const rewards = Array.from({ length: 9 }, () => random.uniform(-3, 5));
    const advantages = groupAdvantages(rewards, { epsilon: 0 });
    const mean = rewards.reduce((sum, reward) => sum + reward, 0) / 9;
    const deviation = Math.sqrt(rewards.reduce((sum, reward) => sum + (reward - mean) ** 2, 0) / 9);
    for (const [i, reward] of rewards.entries()) {
      expect(advantages[i]).toBeCloseTo((reward - mean) / deviation, 12);
    }
  });

  test('add epsilon to the deviation', () => {
    expect([...groupAdvantages([3, 1], { epsilon: 1 })]).toEqual([0.5, -0.5]);
  });

  test('are 0 where all rewards are equal, and in a group of one', () => {
    expect([...groupAdvantages([0.1, 0.1, 0.1], { epsilon: 0 })]).toEqual([0, 0, 0]);
    expect([...groupAdvantages([-7])]).toEqual([0]);
  });

  test.each([
    [[1, Number.NaN], 'NOT_FINITE'],
    [[1, Number.POSITIVE_INFINITY], 'NOT_FINITE'],
    [[], 'INVALID_ARGUMENT'],
  ])('are refused for %o', (rewards, code) => {
    expect(codeOf(() => groupAdvantages(rewards))).toBe(code);
  });

  test('are refused for an epsilon below 0', () => {
    expect(codeOf(() => groupAdvantages([1], { epsilon: -1 }))).toBe('INVALID_ARGUMENT');
  });
});

/** The objective as it is published, term by term. */
function slowLoss(
  now: ArrayLike<number>,
  old: ArrayLike<number>,
  reference: ArrayLike<number>,
  advantages: ArrayLike<number>,
  clip: number,
  beta: number,
): number {
  let objective = 0;
  for (let i = 0; i < now.length; i++) {
    const ratio = Math.exp(now[i]! - old[i]!);
    const limited = Math.min(Math.max(ratio, 1 - clip), 1 + clip);
    const toReference = Math.exp(reference[i]! - now[i]!);
    const divergence = toReference - Math.log(toReference) - 1;
    objective += Math.min(ratio * advantages[i]!, limited * advantages[i]!) - beta * divergence;
  }
  return -objective / now.length;
}

describe('the loss', () => {
  test.each([1, 2, 3, 4, 5, 6])('is the published one, with the gradient of differences: seed %i', (seed) => {
    const random = new SeededRandom(seed);
    const draw = (spread: number, mean = 0) =>
      Float64Array.from({ length: 8 }, () => mean + spread * random.normal());
    const old = draw(2, -5);
    const now = old.map((value) => value + 0.4 * random.normal());
    const reference = old.map((value) => value + 0.5 * random.normal());
    const advantages = draw(1);
    const clip = 0.2;
    const beta = 0.3;
    const loss = (at: Float64Array) =>
      grpoLoss(
        {
          logProbabilities: at,
          oldLogProbabilities: old,
          referenceLogProbabilities: reference,
          advantages,
        },
        { clip, beta },
      );
    const { gradient, clipped, divergence, loss: value } = loss(now);
    expect(value).toBeCloseTo(slowLoss(now, old, reference, advantages, clip, beta), 12);
    expectGradient(gradient, (at) => loss(at).loss, now);
    const beyond = [...now].filter((at, i) => {
      const ratio = Math.exp(at - old[i]!);
      return advantages[i]! > 0 ? ratio > 1.2 : ratio < 0.8;
    });
    expect(clipped).toBe(beyond.length / 8);
    expect(divergence).toBeCloseTo(slowLoss(now, old, reference, new Float64Array(8), clip, 1), 12);
  });

  test('clips what has gone far enough the right way, and nothing that has gone the wrong way', () => {
    const group = {
      logProbabilities: [1, -1, 1, -1].map((by) => by - 3),
      oldLogProbabilities: [-3, -3, -3, -3],
      advantages: [1, 1, -1, -1],
    };
    const { gradient, clipped, loss } = grpoLoss(group, { beta: 0 });
    expect([...gradient]).toEqual(
      [0, -Math.exp(-1) / 4, Math.exp(1) / 4, 0].map((x) => expect.closeTo(x, 15)),
    );
    expect(clipped).toBe(0.5);
    expect(loss).toBeCloseTo(-(1.2 + Math.exp(-1) - Math.exp(1) - 0.8) / 4, 15);
  });

  test('does not clip a ratio at its bound, nor a rollout that is neither better nor worse than its group', () => {
    const at = (ratio: number, advantage: number) => {
      const group = {
        logProbabilities: [Math.log(ratio)],
        oldLogProbabilities: [0],
        advantages: [advantage],
      };
      // The ratio itself, as it is computed, is the bound: 1 + (w - 1) is exact between 1 and 2, 1 - (1 - w) between 0.5 and 1.
      const computed = Math.abs(grpoLoss({ ...group, advantages: [-1] }, { beta: 0, clip: 0.9 }).loss);
      return { computed, ...grpoLoss(group, { beta: 0, clip: Math.abs(computed - 1) }) };
    };
    for (const [ratio, advantage] of [
      [1.25, 1],
      [0.75, -1],
    ] as const) {
      const { clipped, gradient, computed } = at(ratio, advantage);
      expect(clipped).toBe(0);
      expect(gradient[0]).toBe(-advantage * computed);
    }
    for (const ratio of [0.1, 10]) {
      const group = { logProbabilities: [Math.log(ratio)], oldLogProbabilities: [0], advantages: [0] };
      expect(grpoLoss(group, { beta: 0 }).clipped).toBe(0);
    }
  });

  test('of a first epoch is minus the mean advantage, with the policy gradient', () => {
    const logs = [-1, -2, -3];
    const group = {
      logProbabilities: logs,
      oldLogProbabilities: logs,
      referenceLogProbabilities: logs,
      advantages: [2, -1, -1],
    };
    const { loss, gradient, divergence, clipped } = grpoLoss(group);
    expect([loss, divergence, clipped]).toEqual([expect.closeTo(0, 15), 0, 0]);
    expect([...gradient]).toEqual([-2 / 3, 1 / 3, 1 / 3]);
  });

  test('has the published defaults', () => {
    const group = {
      logProbabilities: [-1, -2.2],
      oldLogProbabilities: [-1.5, -2],
      referenceLogProbabilities: [-1.1, -2.5],
      advantages: [1, -1],
    };
    expect(grpoLoss(group)).toEqual(grpoLoss(group, { clip: 0.2, beta: 0.04 }));
  });

  test('without a reference has no divergence', () => {
    const group = { logProbabilities: [-1], oldLogProbabilities: [-1], advantages: [0] };
    expect(grpoLoss(group, { beta: 0 })).toEqual({
      loss: 0,
      gradient: new Float64Array(1),
      divergence: 0,
      clipped: 0,
    });
    expect(codeOf(() => grpoLoss(group))).toBe('INVALID_ARGUMENT');
  });

  const one = { logProbabilities: [-1], oldLogProbabilities: [-1], advantages: [1] };
  test.each([
    [
      'an empty group',
      { logProbabilities: [], oldLogProbabilities: [], advantages: [] },
      {},
      'INVALID_ARGUMENT',
    ],
    ['different lengths', { ...one, advantages: [1, 2] }, {}, 'LENGTH_MISMATCH'],
    [
      'fewer references than rollouts',
      { ...one, referenceLogProbabilities: [] },
      { beta: 1 },
      'LENGTH_MISMATCH',
    ],
    ['NaN', { ...one, logProbabilities: [Number.NaN] }, {}, 'NOT_FINITE'],
    ['a ratio too large', { ...one, oldLogProbabilities: [-800] }, {}, 'NOT_FINITE'],
    [
      'a reference too far',
      { ...one, logProbabilities: [-800], referenceLogProbabilities: [-1] },
      { beta: 1 },
      'NOT_FINITE',
    ],
    ['a clip of 1', one, { clip: 1 }, 'INVALID_ARGUMENT'],
    ['a beta below 0', one, { beta: -0.1 }, 'INVALID_ARGUMENT'],
    ['a beta of NaN', one, { beta: Number.NaN }, 'INVALID_ARGUMENT'],
    ['an unknown option', one, { epsilon: 0.1 }, 'INVALID_ARGUMENT'],
  ])('is refused for %s', (_, group, options, code) => {
    expect(codeOf(() => grpoLoss(group, { beta: 0, ...options }))).toBe(code);
  });
});
