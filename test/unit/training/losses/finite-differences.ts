import { expect } from 'vitest';
import { SeededRandom } from '../../../../src/ranking/seeded-random.js';

/** Seeds and sizes over which every gradient is compared. */
export const SEEDS = [1, 2, 3];
export const SIZES = [1, 2, 7];

export interface DifferenceOptions {
  /** The step h, 1e-3 by default: of the size of a temperature times 1e-3, or the fifth derivative shows. */
  readonly step?: number;
  /** Magnitude of what is added up to the loss, whose rounding the differences see; that of the loss by default. */
  readonly magnitude?: number;
}

/**
 * Derivative of `loss` in its entry `i` by central differences of the fourth order:
 * (f(x - 2h) - 8 f(x - h) + 8 f(x + h) - f(x + 2h)) / 12h.
 */
export function difference(loss: (x: Float64Array) => number, x: Float64Array, i: number, h: number): number {
  const at = (shift: number) => loss(x.map((value, j) => (j === i ? value + shift : value)));
  return (at(-2 * h) - 8 * at(-h) + 8 * at(h) - at(2 * h)) / (12 * h);
}

/**
 * Holds every entry of an analytic gradient to the differences at 1e-6 of itself, beside what rounding of the loss alone does to
 * them: 64 x 2^-52 x its magnitude / h.
 */
export function expectGradient(
  loss: (x: Float64Array) => number,
  x: Float64Array,
  gradient: ArrayLike<number>,
  { step = 1e-3, magnitude = Math.max(1, Math.abs(loss(x))) }: DifferenceOptions = {},
): void {
  expect(gradient.length).toBe(x.length);
  const rounding = (64 * 2 ** -52 * magnitude) / step;
  for (let i = 0; i < x.length; i++) {
    const expected = difference(loss, x, i, step);
    const off = Math.abs(gradient[i]! - expected);
    if (!(off <= 1e-6 * Math.abs(expected) + rounding)) {
      expect.fail(`entry ${i}: ${gradient[i]} against ${expected} by differences`);
    }
  }
}

/** The same for a loss of one number, such as a temperature. */
export function expectDerivative(
  loss: (x: number) => number,
  x: number,
  derivative: number,
  options: DifferenceOptions = {},
): void {
  expectGradient((values) => loss(values[0]!), Float64Array.of(x), [derivative], {
    step: x * 1e-3,
    ...options,
  });
}

/** Standard normal numbers. */
export function normals(random: SeededRandom, count: number, scale = 1): Float64Array {
  return Float64Array.from({ length: count }, () => scale * random.normal());
}

/** softmax(s / t) as it is written down, for scores of which exp does not overflow. */
export function plainSoftmax(scores: ArrayLike<number>, temperature = 1): number[] {
  const terms = Array.from(scores, (score) => Math.exp(score / temperature));
  const sum = terms.reduce((a, b) => a + b, 0);
  return terms.map((term) => term / sum);
}

/** KL(p || q), 0 ln 0 = 0. */
export function plainDivergence(p: readonly number[], q: readonly number[]): number {
  return p.reduce((sum, share, i) => sum + (share === 0 ? 0 : share * Math.log(share / q[i]!)), 0);
}

export function closeTo(value: number, expected: number, relative = 1e-12): void {
  const bound = relative * Math.max(1, Math.abs(expected));
  if (!(Math.abs(value - expected) <= bound)) expect.fail(`${value} is not ${expected} within ${bound}`);
}

/** Calls `check` for all seeds and sizes. */
export function overSizes(
  check: (random: SeededRandom, size: number) => void,
  sizes: readonly number[] = SIZES,
): void {
  for (const seed of SEEDS) for (const size of sizes) check(new SeededRandom(`${seed} ${size}`), size);
}

export function expectFinite(values: ArrayLike<number>): void {
  expect(Array.from(values).every(Number.isFinite)).toBe(true);
}
