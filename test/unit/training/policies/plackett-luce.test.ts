import { describe, expect, test } from 'vitest';
import { SeededRandom } from '../../../../src/ranking/seeded-random.js';
import { canonicalLog } from '../../../../src/training/policies/canonical-log.js';
import {
  logAdd,
  plackettLuceLogProbability,
  plackettLuceSamples,
  uniform,
} from '../../../../src/training/policies/plackett-luce.js';
import { allRankings, codeOf, expectGradient, randomScores, slowProbability } from './finite-differences.js';

const SIZES = [1, 2, 5, 7].flatMap((candidates) =>
  [1, 2, 3].map((seed) => [candidates, Math.max(1, candidates - seed + 1), seed] as const),
);

describe('the log-probability of a ranking', () => {
  test('is that of choosing place by place', () => {
    const scores = randomScores(5, 1);
    for (const places of [1, 2, 3, 4, 5]) {
      for (const temperature of [0.5, 1, 3]) {
        let total = 0;
        for (const ranking of allRankings(5, places)) {
          const { logProbability } = plackettLuceLogProbability(scores, ranking, { temperature });
          const slow = slowProbability(scores, ranking, temperature);
          expect(Math.abs(logProbability - Math.log(slow))).toBeLessThan(1e-12);
          total += Math.exp(logProbability);
        }
        expect(total).toBeCloseTo(1, 12);
      }
    }
  });

  test.each(SIZES)(
    'has the gradient of differences: %i candidates, %i places, seed %i',
    (n, places, seed) => {
      for (const temperature of [0.3, 1, 4]) {
        const scores = randomScores(n, seed);
        const [ranking] = plackettLuceSamples(scores, { places, seed });
        const { gradient } = plackettLuceLogProbability(scores, ranking!, { temperature });
        const value = (at: Float64Array) =>
          plackettLuceLogProbability(at, ranking!, { temperature }).logProbability;
        expectGradient(gradient, value, scores);
        // A constant added to all scores changes nothing.
        expect(Math.abs(gradient.reduce((sum, slope) => sum + slope, 0))).toBeLessThan(1e-12);
      }
    },
  );

  test('stays exact at scores of +-1000', () => {
    const scores = [1000, -1000, 0, 1000];
    const likely = plackettLuceLogProbability(scores, [0, 3, 2, 1]);
    expect(likely.logProbability).toBeCloseTo(-Math.LN2, 14);
    const gradient = [0.5, 0, 0, -0.5];
    for (const [i, slope] of likely.gradient.entries()) expect(slope).toBeCloseTo(gradient[i]!, 14);
    const unlikely = plackettLuceLogProbability(scores, [1, 2, 3, 0]);
    expect(unlikely.logProbability).toBeCloseTo(-3000 - 3 * Math.LN2, 10);
    expect([...unlikely.gradient].map((slope) => Math.round(slope * 1e12) / 1e12)).toEqual([
      -1.5, 1, 1, -0.5,
    ]);
  });

  test('keeps the digits of what a near certainty leaves', () => {
    const { logProbability, gradient } = plackettLuceLogProbability([50, 0], [0, 1]);
    expect(logProbability / -Math.exp(-50)).toBeCloseTo(1, 14);
    expect(gradient[0]! / Math.exp(-50)).toBeCloseTo(1, 14);
  });

  test('does not see what all scores have in common', () => {
    const scores = [0.25, -1.5, 3];
    const shifted = scores.map((score) => score + 2 ** 40);
    for (const temperature of [1, 0.7]) {
      const at = (values: readonly number[]) => plackettLuceLogProbability(values, [2, 0], { temperature });
      expect(at(shifted)).toEqual(at(scores));
    }
  });

  test('of one candidate is 0', () => {
    expect(plackettLuceLogProbability([7], [0])).toEqual({
      logProbability: 0,
      gradient: new Float64Array(1),
    });
  });

  test.each([
    ['no place', [1, 2], [], 1, 'INVALID_ARGUMENT'],
    ['a candidate twice', [1, 2], [1, 1], 1, 'INVALID_ARGUMENT'],
    ['a candidate too many', [1, 2], [2], 1, 'INVALID_ARGUMENT'],
    ['a negative candidate', [1, 2], [-1], 1, 'INVALID_ARGUMENT'],
    ['half a candidate', [1, 2], [0.5], 1, 'INVALID_ARGUMENT'],
    ['no candidate', [], [0], 1, 'INVALID_ARGUMENT'],
    ['NaN', [1, Number.NaN], [0], 1, 'NOT_FINITE'],
    ['an infinite score', [1, Infinity], [0], 1, 'NOT_FINITE'],
    ['a score beyond 1e15', [1, 1e14], [0], 0.01, 'NOT_FINITE'],
    ['no temperature', [1, 2], [0], 0, 'TEMPERATURE_INVALID'],
  ])('refuses %s', (_, scores, ranking, temperature, code) => {
    expect(codeOf(() => plackettLuceLogProbability(scores, ranking, { temperature }))).toBe(code);
  });
});

/** By another program, in another language, from the same formulas. */
const PINNED = [
  [2, 0, 4, 3, 1],
  [0, 2, 4, 1, 3],
  [2, 0, 1, 3, 4],
];

describe('rankings that are drawn', () => {
  test('come as often as their probability says', () => {
    const scores = randomScores(4, 5, 1);
    const count = 10_000;
    for (const [places, temperature] of [
      [2, 1],
      [4, 2.5],
    ] as const) {
      const seen = new Map<string, number>();
      for (const ranking of plackettLuceSamples(scores, { places, temperature, count, seed: 3 })) {
        const name = ranking.join();
        seen.set(name, (seen.get(name) ?? 0) + 1);
      }
      // Pearson's statistic: mean = degrees of freedom, variance twice that.
      let [statistic, cells] = [0, 0];
      for (const ranking of allRankings(4, places)) {
        const expected = count * slowProbability(scores, ranking, temperature);
        statistic += ((seen.get(ranking.join()) ?? 0) - expected) ** 2 / expected;
        cells += 1;
      }
      const freedom = cells - 1;
      expect(Math.abs(statistic - freedom)).toBeLessThan(4 * Math.sqrt(2 * freedom));
    }
  });

  test('are those of their seed, on every machine', () => {
    const scores = [0.3, -1, 2, 0.3, 0];
    const drawn = plackettLuceSamples(scores, { count: 3, seed: 'granule' }).map((ranking) => [...ranking]);
    expect(drawn).toEqual(PINNED);
    expect(
      plackettLuceSamples(scores, { count: 3, seed: 'other' }).map((ranking) => [...ranking]),
    ).not.toEqual(PINNED);
  });

  test('of fewer places are the beginnings of the whole', () => {
    const scores = randomScores(9, 2);
    const whole = plackettLuceSamples(scores, { count: 20, seed: 8 });
    const three = plackettLuceSamples(scores, { count: 20, seed: 8, places: 3 });
    expect(three).toEqual(whole.map((ranking) => ranking.slice(0, 3)));
  });

  test('follow scores of +-1000', () => {
    for (const ranking of plackettLuceSamples([-1000, 1000, 0], { count: 50 })) {
      expect([...ranking]).toEqual([1, 2, 0]);
    }
  });

  test('have the first of equal candidates first', () => {
    // Keys of the last four are multiples of 1/8, the distance of float64 there, so that many are equal.
    const scores = [0, -1e15, -1e15, -1e15, -1e15];
    const random = new SeededRandom('ties');
    let ties = 0;
    for (const ranking of plackettLuceSamples(scores, { count: 100, seed: 'ties' })) {
      const keys = scores.map((score) => score - canonicalLog(-canonicalLog(uniform(random))));
      const best = [...keys.keys()].sort((a, b) => keys[b]! - keys[a]! || a - b);
      expect([...ranking]).toEqual(best);
      ties += keys.length - new Set(keys).size;
    }
    expect(ties).toBeGreaterThan(20);
  });

  test('come from numbers that are neither 0 nor 1', () => {
    const always = (value: number) => ({ uint32: () => value }) as SeededRandom;
    expect(uniform(always(0))).toBe(2 ** -53);
    expect(uniform(always(0xffffffff))).toBe(1 - 2 ** -53);
    expect(uniform(always(0x80000000))).toBe(0.5 + 2 ** -27 + 2 ** -53);
  });

  test.each([{ count: 0 }, { places: 0 }, { places: 3 }, { count: 1.5 }, { kount: 2 }])(
    'are refused for %o',
    (options) => {
      expect(codeOf(() => plackettLuceSamples([1, 2], options))).toBe('INVALID_ARGUMENT');
    },
  );
});

test('the logarithm of a sum keeps the digits of the greater part, on either side', () => {
  expect([logAdd(0.1, -1e15), logAdd(-1e15, 0.1)]).toEqual([0.1, 0.1]);
  expect([logAdd(0.1, -Infinity), logAdd(-Infinity, 0.1)]).toEqual([0.1, 0.1]);
  expect(logAdd(-1, -1)).toBeCloseTo(Math.LN2 - 1, 15);
});
