import { describe, expect, test } from 'vitest';
import {
  plackettLuceDivergence,
  plackettLuceDivergenceEstimate,
} from '../../../../src/training/policies/plackett-luce-divergence.js';
import {
  plackettLuceEntropy,
  plackettLuceFirstEntropy,
} from '../../../../src/training/policies/plackett-luce-entropy.js';
import { allRankings, codeOf, expectGradient, randomScores, slowProbability } from './finite-differences.js';

function slowEntropy(scores: ArrayLike<number>, places: number, temperature = 1): number {
  let sum = 0;
  for (const ranking of allRankings(scores.length, places)) {
    const p = slowProbability(scores, ranking, temperature);
    sum -= p * Math.log(p);
  }
  return sum;
}

function slowDivergence(
  scores: ArrayLike<number>,
  reference: ArrayLike<number>,
  places: number,
  temperature = 1,
): number {
  let sum = 0;
  for (const ranking of allRankings(scores.length, places)) {
    const p = slowProbability(scores, ranking, temperature);
    sum += p * Math.log(p / slowProbability(reference, ranking, temperature));
  }
  return sum;
}

describe('entropy', () => {
  test.each([1, 2, 5, 7])('of the first of %i places is exact, with its gradient', (candidates) => {
    const scores = randomScores(candidates, candidates);
    for (const temperature of [0.4, 1, 3]) {
      const { entropy, gradient } = plackettLuceFirstEntropy(scores, { temperature });
      expect(entropy).toBeCloseTo(slowEntropy(scores, 1, temperature), 13);
      expectGradient(gradient, (at) => plackettLuceFirstEntropy(at, { temperature }).entropy, scores);
    }
  });

  test('of equal scores is ln n, of certainty 0', () => {
    expect(plackettLuceFirstEntropy([2, 2, 2, 2]).entropy).toBeCloseTo(Math.log(4), 14);
    const certain = plackettLuceFirstEntropy([1000, -1000]);
    expect(certain.entropy).toBe(0);
    expect([...certain.gradient].every((slope) => slope === 0)).toBe(true);
  });

  test('of rankings is estimated without bias', () => {
    const scores = randomScores(5, 9);
    for (const [places, temperature] of [
      [5, 1],
      [2, 2],
      [3, 0.5],
    ] as const) {
      const { estimate, standardError } = plackettLuceEntropy(scores, {
        places,
        temperature,
        samples: 2000,
        seed: 4,
      });
      expect(standardError).toBeGreaterThan(0);
      expect(standardError).toBeLessThan(0.03);
      expect(Math.abs(estimate - slowEntropy(scores, places, temperature))).toBeLessThan(4 * standardError);
    }
  });

  test('of one place, and of equal scores, is estimated without error', () => {
    const scores = randomScores(6, 3);
    const first = plackettLuceEntropy(scores, { places: 1, samples: 20 });
    expect(first.estimate).toBeCloseTo(plackettLuceFirstEntropy(scores).entropy, 13);
    expect(first.standardError).toBeLessThan(1e-14);
    expect(plackettLuceEntropy([0, 0, 0, 0], { samples: 20 }).estimate).toBeCloseTo(Math.log(24), 13);
    expect(plackettLuceEntropy([5], { samples: 2 })).toEqual({ estimate: 0, standardError: 0 });
  });

  test('at scores of +-1000 is finite', () => {
    expect(plackettLuceEntropy([1000, -1000, 1000], { samples: 10 }).estimate).toBeCloseTo(Math.LN2, 12);
  });

  test('refuses one sample, which has no error to show', () => {
    expect(codeOf(() => plackettLuceEntropy([1, 2], { samples: 1 }))).toBe('INVALID_ARGUMENT');
    expect(codeOf(() => plackettLuceDivergenceEstimate([1, 2], [2, 1], { samples: 1 }))).toBe(
      'INVALID_ARGUMENT',
    );
  });
});

describe('divergence', () => {
  test.each([1, 2, 3, 5])(
    'of %i candidates is the sum over all rankings, with its gradient',
    (candidates) => {
      const scores = randomScores(candidates, candidates + 1);
      const reference = randomScores(candidates, candidates + 50);
      for (const places of new Set([1, Math.ceil(candidates / 2), candidates])) {
        for (const temperature of [0.7, 2]) {
          const { divergence, gradient } = plackettLuceDivergence(scores, reference, { places, temperature });
          expect(divergence).toBeCloseTo(slowDivergence(scores, reference, places, temperature), 12);
          expectGradient(
            gradient,
            (at) => plackettLuceDivergence(at, reference, { places, temperature }).divergence,
            scores,
          );
        }
      }
    },
  );

  test('from equal scores is what the entropy lacks to ln n!', () => {
    const scores = randomScores(6, 12);
    const { divergence } = plackettLuceDivergence(scores, new Float64Array(6));
    expect(divergence).toBeCloseTo(Math.log(720) - slowEntropy(scores, 6), 12);
  });

  test('from itself is 0 and pulls nowhere', () => {
    const scores = randomScores(8, 1);
    const { divergence, gradient } = plackettLuceDivergence(scores, scores);
    expect(divergence).toBe(0);
    expect(Math.max(...gradient.map(Math.abs))).toBe(0);
  });

  test('of one place goes beyond 32 candidates', () => {
    const scores = randomScores(50, 1);
    const reference = randomScores(50, 2);
    const { divergence, gradient } = plackettLuceDivergence(scores, reference, { places: 1 });
    expect(divergence).toBeCloseTo(slowDivergence(scores, reference, 1), 12);
    expectGradient(gradient, (at) => plackettLuceDivergence(at, reference, { places: 1 }).divergence, scores);
  });

  test('at scores of +-1000 is finite', () => {
    const { divergence, gradient } = plackettLuceDivergence([1000, -1000, 0], [-1000, 1000, 0]);
    expect(divergence).toBeCloseTo(3000, 9);
    expect([...gradient].every(Number.isFinite)).toBe(true);
  });

  test('is estimated without bias', () => {
    const scores = randomScores(5, 2, 0.7);
    const reference = randomScores(5, 3, 0.7);
    for (const places of [1, 3, 5]) {
      const { estimate, standardError } = plackettLuceDivergenceEstimate(scores, reference, {
        places,
        temperature: 1.5,
        samples: 2000,
        seed: 2,
      });
      const exact = plackettLuceDivergence(scores, reference, { places, temperature: 1.5 }).divergence;
      expect(standardError).toBeGreaterThan(0);
      expect(standardError).toBeLessThan(exact / 10);
      expect(Math.abs(estimate - exact)).toBeLessThan(4 * standardError);
    }
  });

  test('is refused where it cannot be gone through, or the two do not belong together', () => {
    expect(codeOf(() => plackettLuceDivergence(new Float64Array(17), new Float64Array(17)))).toBe(
      'INVALID_ARGUMENT',
    );
    expect(codeOf(() => plackettLuceDivergence([1, 2], [1]))).toBe('LENGTH_MISMATCH');
    expect(codeOf(() => plackettLuceDivergenceEstimate([1, 2], [1]))).toBe('LENGTH_MISMATCH');
    expect(codeOf(() => plackettLuceDivergence([1, 2], [1, Number.NaN]))).toBe('NOT_FINITE');
  });
});
