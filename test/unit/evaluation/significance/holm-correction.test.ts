import fc from 'fast-check';
import { expect, test } from 'vitest';
import { holmCorrection } from '../../../../src/evaluation/significance/holm-correction.js';

test.each([
  // By hand: 4 x 0.005, 3 x 0.01, 2 x 0.03, and 0.04 is not below the one before it.
  [
    [0.01, 0.04, 0.03, 0.005],
    [0.03, 0.06, 0.06, 0.02],
  ],
  [
    [0.5, 0.6],
    [1, 1],
  ],
  [[0.2], [0.2]],
  [
    [0.02, 0.02, 0.02],
    [0.06, 0.06, 0.06],
  ],
  [[], []],
])('%j becomes %j', (pValues, corrected) => {
  const result = [...holmCorrection(pValues)];
  expect(result).toHaveLength(corrected.length);
  for (const [i, value] of corrected.entries()) expect(result[i]).toBeCloseTo(value, 12);
});

test('rejects what the step-down procedure rejects', () => {
  const lists = fc.array(
    fc.integer({ min: 0, max: 100 }).map((value) => value / 400),
    { maxLength: 8 },
  );
  fc.assert(
    fc.property(lists, fc.constantFrom(0.0501, 0.0101, 0.1003), (pValues, alpha) => {
      // The procedure itself: the smallest value against alpha / m, the next against alpha / (m - 1), until one is too great.
      const rejected = new Set<number>();
      let left = pValues.map((value, place) => ({ value, place }));
      while (left.length > 0) {
        const least = left.reduce((best, item) => (item.value < best.value ? item : best));
        if (least.value > alpha / left.length) break;
        rejected.add(least.place);
        left = left.filter(({ place }) => place !== least.place);
      }
      const corrected = holmCorrection(pValues);
      expect(pValues.map((_, place) => corrected[place]! <= alpha)).toEqual(
        pValues.map((_, place) => rejected.has(place)),
      );
    }),
  );
});

test('refuses what is no probability', () => {
  expect(() => holmCorrection([0.1, 1.1])).toThrow(/1.1/);
  expect(() => holmCorrection([-0.1])).toThrow(/-0.1/);
  expect(() => holmCorrection([Number.NaN])).toThrow(/NaN/);
});
