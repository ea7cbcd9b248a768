import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { randomisationTest } from '../../../../src/evaluation/significance/randomisation-test.js';

const zeros = (n: number) => new Float64Array(n);

/** Heights of crossed less self-fertilised plants of maize (Darwin), in eighths of an inch: Fisher's own example. */
const DARWIN = [49, -67, 8, 16, 6, 23, 28, 41, 14, 29, 56, 24, 75, 60, -48];

/** The share of all assignments of signs, written as bits, whose sum of whole numbers is at least as far from 0. */
function exactP(differences: readonly number[]): number {
  const observed = Math.abs(differences.reduce((sum, value) => sum + value, 0));
  let extreme = 0;
  for (let signs = 0; signs < 2 ** differences.length; signs++) {
    let sum = 0;
    for (const [i, value] of differences.entries()) sum += (signs >> i) & 1 ? -value : value;
    if (Math.abs(sum) >= observed) extreme += 1;
  }
  return extreme / 2 ** differences.length;
}

/** The same for more differences: how many assignments give each sum, one difference after the other. */
function exactPBySums(differences: readonly number[]): number {
  let counts = new Map([[0, 1]]);
  for (const value of differences) {
    const next = new Map<number, number>();
    for (const [sum, count] of counts) {
      for (const turned of [sum + value, sum - value]) next.set(turned, (next.get(turned) ?? 0) + count);
    }
    counts = next;
  }
  const observed = Math.abs(differences.reduce((sum, value) => sum + value, 0));
  const extreme = [...counts].filter(([sum]) => Math.abs(sum) >= observed);
  return extreme.reduce((sum, [, count]) => sum + count, 0) / 2 ** differences.length;
}

describe('with few queries', () => {
  test('gives the value that Fisher published for Darwin’s maize: 2 x 863 of 32768', () => {
    const result = randomisationTest(zeros(15), DARWIN);
    expect(result).toEqual({
      difference: 314 / 15,
      pValue: 1726 / 32768,
      isExact: true,
      permutations: 32768,
    });
  });

  test('by hand: differences 1, 2, 3 reach |6| with two of eight assignments; 1, 2, -3 with all', () => {
    expect(randomisationTest(zeros(3), [1, 2, 3]).pValue).toBe(2 / 8);
    expect(randomisationTest(zeros(3), [1, 2, -3]).pValue).toBe(1);
  });

  test('looks at every assignment, also where the values are fractions that rounding would tell apart', () => {
    const differences = fc.array(fc.integer({ min: -4, max: 4 }), { minLength: 1, maxLength: 10 });
    fc.assert(
      fc.property(differences, fc.constantFrom(1, 10, 3, 7), (whole, divisor) => {
        const fractions = whole.map((value) => value / divisor);
        const { pValue, isExact } = randomisationTest(zeros(whole.length), fractions);
        expect(isExact).toBe(true);
        expect(pValue).toBeCloseTo(exactP(whole), 15);
      }),
    );
  });

  test('equal runs have p = 1, however many queries there are', () => {
    const values = Float64Array.from({ length: 50 }, (_, i) => i / 50);
    expect(randomisationTest(values, values)).toEqual({
      difference: 0,
      pValue: 1,
      isExact: true,
      permutations: 1,
    });
  });

  test('does not depend on which run is called the baseline', () => {
    const one = [0.1, 0.5, 0.3, 0.9, 0.2];
    const other = [0.2, 0.4, 0.6, 0.9, 0.4];
    const there = randomisationTest(one, other);
    const back = randomisationTest(other, one);
    expect(back.pValue).toBe(there.pValue);
    expect(back.difference).toBe(-there.difference);
  });
});

describe('with many queries', () => {
  const differences = [...DARWIN, 12, -30, 7, -19, 22, -5, 3];

  test('draws assignments: near the exact value, and the same for a seed', () => {
    const exact = exactPBySums(differences);
    const result = randomisationTest(zeros(22), differences);
    expect(result).toMatchObject({ isExact: false, permutations: 100_000 });
    const deviation = Math.sqrt((exact * (1 - exact)) / 100_000);
    expect(Math.abs(result.pValue - exact)).toBeLessThan(4 * deviation);
    expect(randomisationTest(zeros(22), differences)).toEqual(result);
    expect(randomisationTest(zeros(22), differences, { seed: 2 }).pValue).not.toBe(result.pValue);
  });

  test('gives every query a sign of its own, those beyond the 32nd too', () => {
    // 32 small differences that cancel out, then 1, 2, 4 .. 128, which reach 255 with all signs alike only. On top of these two
    // assignments the small ones must not pull the sum back: half of theirs, and half of those that cancel out again.
    const small = Array.from({ length: 32 }, (_, i) => (i % 2 === 0 ? 1 : -1) / 1000);
    const great = Array.from({ length: 8 }, (_, i) => 2 ** i);
    let cancelling = 1;
    for (let i = 1; i <= 16; i++) cancelling *= (16 + i) / i / 4;
    const exact = (2 / 2 ** 8) * (0.5 + cancelling / 2);
    const { pValue } = randomisationTest(zeros(40), [...small, ...great]);
    const deviation = Math.sqrt((exact * (1 - exact)) / 100_000);
    expect(Math.abs(pValue - exact)).toBeLessThan(4 * deviation);
  });

  test('is never 0: where no drawn assignment is as extreme, p is 1 of all that were drawn and the observed one', () => {
    // Only two of 2^60 assignments reach the sum of 60 equal differences.
    const { pValue } = randomisationTest(zeros(60), zeros(60).fill(1), { permutations: 999 });
    expect(pValue).toBe(1 / 1000);
  });

  test('spreads p evenly where the runs do not differ', () => {
    // Signs at random: p below 0.2 in a fifth of the tests. 200 tests: 40, deviation 5.7.
    let state = 12345;
    const sign = () => {
      state = (Math.imul(state, 1103515245) + 12345) >>> 0;
      return state & 0x10000 ? 1 : -1;
    };
    let below = 0;
    for (let i = 0; i < 200; i++) {
      const values = Float64Array.from({ length: 70 }, (_, place) => sign() * (1 + (place % 7)));
      if (randomisationTest(zeros(70), values, { permutations: 500, seed: i }).pValue < 0.2) below += 1;
    }
    expect(below).toBeGreaterThan(40 - 4 * 5.7);
    expect(below).toBeLessThan(40 + 4 * 5.7);
  });
});

test('refuses what cannot be paired', () => {
  expect(() => randomisationTest([1], [1, 2])).toThrow(/cannot be paired/);
  expect(() => randomisationTest([], [])).toThrow(/no query/);
  expect(() => randomisationTest([Number.NaN], [1])).toThrow(/place 0/);
  expect(() => randomisationTest([1], [2], { permutations: 0 })).toThrow(/permutations/);
  expect(() => randomisationTest([1], [2], { samples: 5 } as object)).toThrow(/no option samples/);
});
