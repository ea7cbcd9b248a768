import { describe, expect, test } from 'vitest';
import {
  bernoulliDivergence,
  bernoulliEntropy,
  bernoulliLogProbability,
  bernoulliSamples,
} from '../../../../src/training/policies/bernoulli.js';
import { codeOf, expectGradient, randomScores } from './finite-differences.js';

function* allDecisions(candidates: number): Generator<boolean[]> {
  for (let set = 0; set < 2 ** candidates; set++) {
    yield Array.from({ length: candidates }, (_, i) => (set & (1 << i)) !== 0);
  }
}

function slowProbability(scores: ArrayLike<number>, kept: readonly boolean[], temperature: number): number {
  return kept.reduce((product, keep, i) => {
    const share = 1 / (1 + Math.exp(-scores[i]! / temperature));
    return product * (keep ? share : 1 - share);
  }, 1);
}

describe.each([1, 2, 5])('the Bernoulli policy over %i candidates', (candidates) => {
  const scores = randomScores(candidates, candidates);
  const reference = randomScores(candidates, candidates + 20);

  test.each([0.5, 1, 3])('decides about each by itself, at temperature %f', (temperature) => {
    let [total, entropy, divergence] = [0, 0, 0];
    for (const kept of allDecisions(candidates)) {
      const { logProbability, gradient } = bernoulliLogProbability(scores, kept, { temperature });
      const p = slowProbability(scores, kept, temperature);
      expect(logProbability).toBeCloseTo(Math.log(p), 12);
      expectGradient(
        gradient,
        (at) => bernoulliLogProbability(at, kept, { temperature }).logProbability,
        scores,
      );
      total += Math.exp(logProbability);
      entropy -= p * Math.log(p);
      divergence += p * Math.log(p / slowProbability(reference, kept, temperature));
    }
    expect(total).toBeCloseTo(1, 13);
    const exactEntropy = bernoulliEntropy(scores, { temperature });
    expect(exactEntropy.entropy).toBeCloseTo(entropy, 12);
    expectGradient(exactEntropy.gradient, (at) => bernoulliEntropy(at, { temperature }).entropy, scores);
    const exact = bernoulliDivergence(scores, reference, { temperature });
    expect(exact.divergence).toBeCloseTo(divergence, 12);
    expectGradient(
      exact.gradient,
      (at) => bernoulliDivergence(at, reference, { temperature }).divergence,
      scores,
    );
  });
});

/** By another program, in another language, from the same formulas. */
const PINNED = ['010', '100', '011', '100', '011', '101'];

describe('the Bernoulli policy', () => {
  test('is finite at scores of +-1000', () => {
    const certain = bernoulliLogProbability([1000, -1000], [true, false]);
    expect(certain).toEqual({ logProbability: 0, gradient: Float64Array.of(0, -0) });
    const absurd = bernoulliLogProbability([1000, -1000], [false, true]);
    expect(absurd).toEqual({ logProbability: -2000, gradient: Float64Array.of(-1, 1) });
    expect(bernoulliDivergence([1000, -1000], [-1000, 1000]).divergence).toBe(2000);
    expect(bernoulliEntropy([1000, -1000]).entropy).toBe(0);
    expect(bernoulliDivergence([3, -4], [3, -4])).toEqual({ divergence: 0, gradient: new Float64Array(2) });
  });

  test('keeps as often as it says', () => {
    const scores = [0, 1.2, -2, 0.4];
    const count = 20_000;
    const drawn = bernoulliSamples(scores, { count, temperature: 2, seed: 6 });
    for (const [i, score] of scores.entries()) {
      const share = 1 / (1 + Math.exp(-score / 2));
      const seen = drawn.filter((kept) => kept[i]).length / count;
      expect(Math.abs(seen - share)).toBeLessThan(4 * Math.sqrt((share * (1 - share)) / count));
    }
  });

  test('draws what its seed says, on every machine', () => {
    const drawn = bernoulliSamples([0.5, -0.5, 0], { count: 6, seed: 'granule' });
    expect(drawn.map((kept) => kept.map(Number).join(''))).toEqual(PINNED);
  });

  test('refuses what is no decision about its candidates', () => {
    expect(codeOf(() => bernoulliLogProbability([1, 2], [true]))).toBe('LENGTH_MISMATCH');
    expect(codeOf(() => bernoulliLogProbability([], []))).toBe('INVALID_ARGUMENT');
    expect(codeOf(() => bernoulliSamples([Number.NaN]))).toBe('NOT_FINITE');
    expect(codeOf(() => bernoulliSamples([1], { temperature: -1 }))).toBe('TEMPERATURE_INVALID');
    expect(codeOf(() => bernoulliDivergence([1], [1, 2]))).toBe('LENGTH_MISMATCH');
  });
});
