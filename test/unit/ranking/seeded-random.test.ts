import { describe, expect, test } from 'vitest';
import { SeededRandom } from '../../../src/ranking/seeded-random.js';

const DRAWS = 20_000;

function draws(next: () => number): number[] {
  return Array.from({ length: DRAWS }, next);
}

describe('seeded random', () => {
  test('a seed gives the same stream everywhere', () => {
    const random = new SeededRandom('granule');
    expect([random.uint32(), random.uint32(), random.uint32()]).toEqual([2720877454, 2483640023, 769132100]);
    expect(new SeededRandom(7).uint32()).toBe(new SeededRandom('7').uint32());
    expect(new SeededRandom(7).uint32()).not.toBe(new SeededRandom(8).uint32());
  });

  test('uniform numbers fill their range evenly', () => {
    const random = new SeededRandom(1);
    const values = draws(() => random.uniform(-2, 6));
    expect(Math.min(...values)).toBeGreaterThanOrEqual(-2);
    expect(Math.max(...values)).toBeLessThan(6);
    const tenths = new Array<number>(10).fill(0);
    for (const value of values) tenths[Math.floor(((value + 2) / 8) * 10)]!++;
    for (const count of tenths) expect(Math.abs(count / DRAWS - 0.1)).toBeLessThan(0.01);
  });

  test('whole numbers include both ends', () => {
    const random = new SeededRandom(2);
    expect(new Set(draws(() => random.integer(3, 5)))).toEqual(new Set([3, 4, 5]));
  });

  test('normal numbers have mean 0, variance 1 and the right tails', () => {
    const random = new SeededRandom(3);
    const values = draws(() => random.normal());
    const mean = values.reduce((sum, value) => sum + value, 0) / DRAWS;
    const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / DRAWS;
    expect(Math.abs(mean)).toBeLessThan(0.03);
    expect(Math.abs(variance - 1)).toBeLessThan(0.05);
    const beyondTwo = values.filter((value) => Math.abs(value) > 2).length / DRAWS;
    expect(Math.abs(beyondTwo - 0.0455)).toBeLessThan(0.006);
  });
});
