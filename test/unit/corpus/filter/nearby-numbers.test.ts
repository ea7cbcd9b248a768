import { describe, expect, it } from 'vitest';
import { nextNumber } from '../../../../src/corpus/filter/nearby-numbers.js';

describe('nextNumber', () => {
  it.each([
    [1, 1, 1 + Number.EPSILON],
    [1, -1, 1 - Number.EPSILON / 2],
    [-1, 2, -1 + Number.EPSILON],
    [0, 1, Number.MIN_VALUE],
    [-0, -1, -Number.MIN_VALUE],
    [Number.MIN_VALUE, -3, -2 * Number.MIN_VALUE],
    [Number.MAX_VALUE, 1, Number.POSITIVE_INFINITY],
    [Number.MAX_VALUE, 5, Number.POSITIVE_INFINITY],
    [-Number.MAX_VALUE, -2, Number.NEGATIVE_INFINITY],
    [2 ** 53, 1, 2 ** 53 + 2],
  ])('of %d, %d places on, is %d', (value, steps, expected) => {
    expect(nextNumber(value, steps)).toBe(expected);
  });
});
