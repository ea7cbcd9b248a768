import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { combMnz, combSum, interpolate, minMaxNorm, weightedSum } from '../../../src/fusion/index.js';
import type { RankedList } from '../../../src/ranking/ranked-list.js';
import {
  A,
  allRows,
  B,
  expectScores,
  filledList,
  list,
  places,
  scoreOf,
  someList,
  total,
} from './some-lists.js';

const lists = fc.array(someList, { maxLength: 4 });

describe('CombSUM', () => {
  it('is the weighted sum of min-max scores, weights adding up to 1', () => {
    fc.assert(
      fc.property(
        lists,
        fc.array(fc.double({ min: 0.01, max: 9, noNaN: true }), { minLength: 4, maxLength: 4 }),
        (of, four) => {
          const weights = four.slice(0, of.length);
          const all = weights.reduce((sum, weight) => sum + weight, 0);
          const normalised = of.map((each) => minMaxNorm(each));
          expectScores(combSum(of, { weights }), of, (row) =>
            total(normalised, (each, i) => (weights[i]! / all) * (scoreOf(each, row) ?? 0)),
          );
        },
      ),
    );
  });

  it('takes a normalisation for each list', () => {
    const fused = combSum([A, B], { normalisation: ['none', { method: 'softmax', temperature: 0.1 }] });
    const e = (x: number): number => Math.exp(x / 0.1);
    expect(scoreOf(fused, 3)).toBeCloseTo((2 + e(0.9) / (e(0.9) + e(0.5) + e(0.1))) / 2, 12);
  });
});

it('CombMNZ multiplies by the number of lists in which the normalised score exceeds 1e-6', () => {
  fc.assert(
    fc.property(lists, fc.constantFrom('zero' as const, 'minimum' as const), (of, missing) => {
      const filled = of.map((each) =>
        missing === 'zero' || each.rows.length === 0
          ? each
          : list(
              ...allRows(of).map((row): [number, number] => [
                row,
                scoreOf(each, row) ?? Math.min(...each.scores),
              ]),
            ),
      );
      const normalised = filled.map((each) => minMaxNorm(each));
      expectScores(combMnz(of, { missing }), of, (row) => {
        const scores = normalised.map((each) => scoreOf(each, row) ?? 0);
        const sum = scores.reduce((all, score) => all + score / of.length, 0);
        return sum * scores.filter((score) => score > 1e-6).length;
      });
    }),
  );
});

it('CombMNZ counts a score just above 1e-6 and none at it', () => {
  const scores = list([1, 1], [2, 1.5e-6], [3, 1e-6]);
  const fused = combMnz([scores, list([2, 1], [3, 1])], { normalisation: 'none' });
  expect(scoreOf(fused, 2)).toBeCloseTo(1 + 1.5e-6, 12);
  expect(scoreOf(fused, 3)).toBeCloseTo((1 + 1e-6) / 2, 12);
});

it('the weighted sum of completed lists is its definition', () => {
  fc.assert(
    fc.property(fc.array(filledList, { minLength: 1, maxLength: 4 }), (of) => {
      const weights = of.map((_, i) => i - 1.5);
      const fused = weightedSum(of, { weights, normalisation: 'none', missing: 'minimum' });
      expectScores(fused, of, (row) =>
        total(of, (each, i) => weights[i]! * (scoreOf(each, row) ?? Math.min(...each.scores))),
      );
    }),
  );
});

it('with zmuv a missing row passes for an average one, unless it gets the minimum', () => {
  const first = list([1, 3], [2, 2], [3, 1]);
  const second = list([4, 3], [2, 2], [3, 1]);
  const options = { weights: [1, 1], normalisation: 'zmuv' } as const;
  const below = (fused: RankedList): boolean => scoreOf(fused, 1)! < scoreOf(fused, 2)! + 1;
  expect(below(weightedSum([first, second], options))).toBe(false);
  expect(below(weightedSum([first, second], { ...options, missing: 'minimum' }))).toBe(true);
});

describe('interpolation', () => {
  it('mixes scores as they are, with the least of each list for what it lacks', () => {
    expect(places(interpolate(A, B, { weight: 0.25 }))).toEqual([
      [1, 0.25 * 10 + 0.75 * 0.5],
      [2, 0.25 * 6 + 0.75 * 0.1],
      [3, 0.25 * 2 + 0.75 * 0.9],
      [4, 0.25 * 2 + 0.75 * 0.1],
    ]);
  });

  it('at weight 1 orders what the first list has as the first list does', () => {
    expect([...interpolate(A, B, { weight: 1 }).rows]).toEqual([1, 2, 3, 4]);
    expect([...interpolate(A, B, { weight: 0 }).rows]).toEqual([3, 1, 2, 4]);
  });

  it.each([-0.1, 1.1, Number.NaN, undefined])('refuses weight %s', (weight) => {
    expect(() => interpolate(A, B, { weight: weight as number })).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
    );
  });
});
