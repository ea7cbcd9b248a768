import { describe, expect, test } from 'vitest';
import { pairedTTest, studentTails } from '../../../../src/evaluation/significance/t-test.js';

describe('the tails of Student’s distribution', () => {
  test.each([
    // Tables of the distribution: two-sided 5 %, 1 %, 0.1 %.
    [12.706204736, 1, 0.05],
    [4.3026527297, 2, 0.05],
    [2.228138852, 10, 0.05],
    [2.0422724563, 30, 0.05],
    [1.9839715185, 100, 0.05],
    [3.1692726726, 10, 0.01],
    [3.645958635, 30, 0.001],
  ])('beyond %d with %d degrees lie %d', (t, degrees, p) => {
    expect(studentTails(t, degrees)).toBeCloseTo(p, 9);
    expect(studentTails(-t, degrees)).toBe(studentTails(t, degrees));
  });

  test.each([1e-8, 0.01, 0.3, 1, 2.5, 17, 1e4, 1e9])('are those of the closed forms at t = %d', (t) => {
    expect(studentTails(t, 1) / ((2 / Math.PI) * Math.atan(1 / t))).toBeCloseTo(1, 12);
    const two = 2 / ((2 + t * t) * (1 + t / Math.sqrt(2 + t * t)));
    expect(studentTails(t, 2) / two).toBeCloseTo(1, 12);
  });

  test.each([3, 8, 49, 224, 1999])('with %d degrees are those of a sum over the density', (degrees) => {
    // With t = sqrt(degrees) tan(angle) the density is cos(angle)^(degrees - 1); Simpson's rule.
    const integral = (from: number, to: number) => {
      const steps = 40_000;
      const h = (to - from) / steps;
      let sum = 0;
      for (let i = 0; i <= steps; i++) {
        const weight = i === 0 || i === steps ? 1 : i % 2 === 1 ? 4 : 2;
        sum += weight * Math.cos(from + i * h) ** (degrees - 1);
      }
      return (sum * h) / 3;
    };
    for (const t of [0.1, 0.9, 1.7, 2.6, 4]) {
      const expected = integral(Math.atan(t / Math.sqrt(degrees)), Math.PI / 2) / integral(0, Math.PI / 2);
      expect(studentTails(t, degrees) / expected).toBeCloseTo(1, 8);
    }
  });

  test('with very many degrees are those of the normal distribution', () => {
    expect(studentTails(1.959963985, 1_000_000)).toBeCloseTo(0.05, 6);
    expect(studentTails(0, 7)).toBe(1);
    expect(studentTails(Number.POSITIVE_INFINITY, 7)).toBe(0);
  });
});

test('Darwin’s maize, as Fisher computed it: t = 2.148 with 14 degrees, p = 4.97 %', () => {
  const differences = [49, -67, 8, 16, 6, 23, 28, 41, 14, 29, 56, 24, 75, 60, -48];
  const result = pairedTTest(new Float64Array(15), differences);
  expect(result.difference).toBeCloseTo(20.933, 3);
  expect(result.t).toBeCloseTo(2.148, 3);
  expect(result.degreesOfFreedom).toBe(14);
  expect(result.pValue).toBeCloseTo(0.0497, 4);
});

test('the same difference everywhere is certain, none at all is nothing', () => {
  expect(pairedTTest([0, 1], [0.5, 1.5])).toMatchObject({ t: Number.POSITIVE_INFINITY, pValue: 0 });
  expect(pairedTTest([1, 2], [1, 2])).toEqual({ difference: 0, t: 0, degreesOfFreedom: 1, pValue: 1 });
  expect(pairedTTest([0, 0], [1, -1])).toMatchObject({ t: 0, pValue: 1 });
  expect(() => pairedTTest([1], [2])).toThrow(/two queries/);
});
