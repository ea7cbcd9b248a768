import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { averageRank, fuse, reciprocalRankFusion } from '../../../src/fusion/index.js';
import type { RankedList } from '../../../src/ranking/ranked-list.js';
import { A, allRows, B, expectScores, list, rankOf, someList, total } from './some-lists.js';

const lists = fc.array(someList, { maxLength: 4 });

describe('reciprocal rank fusion', () => {
  it('adds 1 / (60 + rank)', () => {
    fc.assert(
      fc.property(lists, (of) => {
        expectScores(reciprocalRankFusion(of), of, (row) =>
          total(of, (each) => (rankOf(each, row) === undefined ? 0 : 1 / (60 + rankOf(each, row)!))),
        );
      }),
    );
  });

  it('weighs two lists by 2 alpha and 2 (1 - alpha)', () => {
    fc.assert(
      fc.property(someList, someList, fc.double({ min: 0.05, max: 0.95, noNaN: true }), (a, b, alpha) => {
        const part = (each: RankedList, row: number, weight: number): number =>
          rankOf(each, row) === undefined ? 0 : weight / (10 + rankOf(each, row)!);
        expectScores(
          reciprocalRankFusion([a, b], { k: 10, weights: [alpha, 1 - alpha] }),
          [a, b],
          (row) => part(a, row, 2 * alpha) + part(b, row, 2 * (1 - alpha)),
        );
      }),
    );
  });

  it('with equal weights is the plain form to the last bit', () => {
    expect(reciprocalRankFusion([A, B], { weights: [5, 5] })).toEqual(reciprocalRankFusion([A, B]));
  });

  it('sees a tie where two rows have the same ranks in different lists', () => {
    // 1/61 + 1/62 + 1/63 depends on the order of additions in its last bit.
    const fused = reciprocalRankFusion([
      list([1, 3], [2, 2], [3, 1]),
      list([2, 3], [3, 2], [1, 1]),
      list([3, 3], [1, 2], [2, 1]),
    ]);
    expect([...fused.rows]).toEqual([1, 2, 3]);
    expect(new Set(fused.scores).size).toBe(1);
  });

  it('reads no scores', () => {
    const infinite = list([1, Number.POSITIVE_INFINITY], [2, 0], [3, Number.NEGATIVE_INFINITY]);
    expect(reciprocalRankFusion([infinite, B])).toEqual(reciprocalRankFusion([A, B]));
  });
});

it('average rank gives a missing row the rank after the last', () => {
  fc.assert(
    fc.property(fc.array(someList, { minLength: 1, maxLength: 4 }), (of) => {
      const weights = of.map((_, i) => i + 1);
      const all = weights.reduce((sum, weight) => sum + weight, 0);
      expectScores(averageRank(of, { weights }), of, (row) => {
        const average = total(
          of,
          (each, i) => (weights[i]! / all) * (rankOf(each, row) ?? each.rows.length + 1),
        );
        return 1 / (average + 1e-6);
      });
    }),
  );
});

it('Borda gives what is left of the points in equal parts to the rows that a list lacks', () => {
  fc.assert(
    fc.property(fc.array(someList, { minLength: 1, maxLength: 4 }), (of) => {
      const candidates = allRows(of);
      const points = of.map((each) => {
        const all = candidates.map((_, i) => 1 - i / candidates.length);
        const left = all.slice(each.rows.length);
        const share = left.reduce((sum, point) => sum + point, 0) / left.length;
        return (row: number) => (rankOf(each, row) === undefined ? share : all[rankOf(each, row)! - 1]!);
      });
      expectScores(fuse(of, { method: 'borda' }), of, (row) =>
        points.reduce((sum, pointsOf) => sum + pointsOf(row) / of.length, 0),
      );
    }),
  );
});
