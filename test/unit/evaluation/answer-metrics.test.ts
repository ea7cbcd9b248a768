import fc from 'fast-check';
import { expect, test } from 'vitest';
import { answerScores } from '../../../src/evaluation/answer-metrics.js';

test.each([
  ['Paris', ['paris'], 1, 1],
  ['the Paris', ['Paris!'], 1, 1],
  ['Paris France', ['Paris'], 0, 2 / 3],
  ['Andorra, Belgium and Spain', ['Andorra, Spain'], 0, 2 / 3],
  ['x x y', ['x y y'], 0, 2 / 3],
  ['Rome', ['Paris'], 0, 0],
  ['Euro', ['dollar', 'euro'], 1, 1],
  [null, ['Paris'], 0, 0],
  [null, ['the'], 1, 0],
] as const)('%j against %j scores %d and %d', (answer, accepted, exactMatch, f1) => {
  const scores = answerScores(answer, accepted);
  expect(scores.exactMatch).toBe(exactMatch);
  expect(scores.f1).toBeCloseTo(f1, 12);
});

test('exact match and F1 are the largest over accepted answers, each by itself', () => {
  expect(answerScores('big red bus', ['red', 'big red car'])).toEqual({ exactMatch: 0, f1: 2 / 3 });
});

const words = fc
  .array(fc.constantFrom('a', 'b1', 'c2', 'd3', 'the'), { maxLength: 6 })
  .map((list) => list.join(' '));

test('F1 is symmetric, lies in [0, 1], and more accepted answers never lower a score', () => {
  fc.assert(
    fc.property(words, words, words, (x, y, z) => {
      const one = answerScores(x, [y]);
      const two = answerScores(x, [y, z]);
      expect(one.f1).toBeCloseTo(answerScores(y, [x]).f1, 12);
      expect(one.f1).toBeGreaterThanOrEqual(0);
      expect(one.f1).toBeLessThanOrEqual(1);
      expect(two.f1).toBeGreaterThanOrEqual(one.f1);
      expect(two.exactMatch).toBeGreaterThanOrEqual(one.exactMatch);
    }),
  );
});

test('a question without accepted answers is an error', () => {
  expect(() => answerScores('x', [])).toThrowError(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
});
