import { expect } from 'vitest';
import { SeededRandom } from '../../../../src/ranking/seeded-random.js';

/**
 * Holds an analytic gradient to central differences of `value` at `at`: no component may be off by more than 1e-6 of the largest.
 *
 * @param least - what the largest component counts for at least, where all are near zero
 */
export function expectGradient(
  gradient: Float64Array,
  value: (at: Float64Array) => number,
  at: ArrayLike<number>,
  least = 1e-3,
): void {
  const step = 2 ** -16;
  const numeric = Float64Array.from(at, (_, i) => {
    const moved = (by: number) => {
      const copy = Float64Array.from(at);
      copy[i]! += by;
      return value(copy);
    };
    // Two steps cancel the error of the second order.
    const coarse = (moved(2 * step) - moved(-2 * step)) / (4 * step);
    return (4 * ((moved(step) - moved(-step)) / (2 * step)) - coarse) / 3;
  });
  const largest = Math.max(least, ...numeric.map(Math.abs));
  const off = gradient.map((slope, i) => Math.abs(slope - numeric[i]!) / largest);
  expect(gradient.length).toBe(at.length);
  expect(Math.max(...off)).toBeLessThan(1e-6);
}

/** Normal scores, some of them equal. */
export function randomScores(candidates: number, seed: number, spread = 1.5): Float64Array {
  const random = new SeededRandom(seed);
  const scores = Float64Array.from({ length: candidates }, () => spread * random.normal());
  if (candidates > 2) scores[candidates - 1] = scores[0]!;
  return scores;
}

/** Every ranking of the first `places` of so many candidates. */
export function* allRankings(candidates: number, places: number): Generator<number[]> {
  if (places === 0) {
    yield [];
    return;
  }
  for (const head of allRankings(candidates, places - 1)) {
    for (let next = 0; next < candidates; next++) if (!head.includes(next)) yield [...head, next];
  }
}

/** The probability of a ranking by the definition: a product of shares. */
export function slowProbability(
  scores: ArrayLike<number>,
  ranking: readonly number[],
  temperature = 1,
): number {
  const left = new Set(Array.from(scores, (_, i) => i));
  let probability = 1;
  for (const candidate of ranking) {
    const sum = [...left].reduce((total, i) => total + Math.exp(scores[i]! / temperature), 0);
    probability *= Math.exp(scores[candidate]! / temperature) / sum;
    left.delete(candidate);
  }
  return probability;
}

/** The code of the error that a call throws. */
export function codeOf(call: () => unknown): string | undefined {
  try {
    call();
    return undefined;
  } catch (error) {
    return (error as { code?: string }).code;
  }
}
