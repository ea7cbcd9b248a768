import fc from 'fast-check';
import { expect, test } from 'vitest';
import { hitAt, precisionAt, reciprocalRankAt } from '../../../src/evaluation/rank-metrics.js';

test('hand-computed values', () => {
  const relevant = [false, true, false, true];
  expect(reciprocalRankAt(relevant, 100)).toBe(1 / 2);
  expect(reciprocalRankAt(relevant, 1)).toBe(0);
  expect(precisionAt(relevant, 2)).toBe(1 / 2);
  expect(precisionAt(relevant, 20)).toBe(2 / 20);
  expect(hitAt(relevant, 2)).toBe(1);
  expect(hitAt(relevant, 1)).toBe(0);
  expect([reciprocalRankAt([], 5), precisionAt([], 5), hitAt([], 5)]).toEqual([0, 0, 0]);
});

test('the three agree about whether anything was found, and what lies beyond k does not count', () => {
  fc.assert(
    fc.property(
      fc.array(fc.boolean()),
      fc.integer({ min: 1, max: 30 }),
      fc.array(fc.boolean()),
      (list, k, more) => {
        const cut = list.slice(0, k);
        for (const metric of [reciprocalRankAt, precisionAt, hitAt]) {
          expect(metric(list, k) > 0).toBe(cut.includes(true));
          if (cut.length === k) expect(metric([...cut, ...more], k)).toBe(metric(cut, k));
        }
      },
    ),
  );
});

test.each([0, -1, 1.5, Number.NaN])('k = %d is refused', (k) => {
  for (const metric of [reciprocalRankAt, precisionAt, hitAt]) {
    expect(() => metric([true], k)).toThrowError(expect.objectContaining({ code: 'K_OUT_OF_RANGE' }));
  }
});
