import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  averageRank,
  combMnz,
  combSum,
  FUSION_METHODS,
  type Fusion,
  fuse,
  interpolate,
  minMaxNorm,
  reciprocalRankFusion,
  weightedSum,
  zmuvNorm,
} from '../../../src/fusion/index.js';
import type { RankedList } from '../../../src/ranking/ranked-list.js';
import { filledList, isRanked, list, places, scoreOf, someList } from './some-lists.js';

const A = list([1, 10], [2, 6], [3, 2]);
const B = list([3, 0.9], [1, 0.5], [4, 0.1]);
const lists = fc.array(someList, { maxLength: 4 });

/** Every method with options that treat all lists alike. */
const EVEN: Fusion[] = [
  { method: 'comb-sum' },
  { method: 'comb-sum', normalisation: 'zmuv', missing: 'minimum' },
  { method: 'comb-mnz' },
  { method: 'rrf' },
  { method: 'average-rank' },
  { method: 'borda' },
  { method: 'dempster-shafer' },
];

function allRows(of: readonly RankedList[]): number[] {
  return [...new Set(of.flatMap(({ rows }) => [...rows]))];
}

/** Compares a fused list with a slow form that gives one row's score. */
function expectScores(fused: RankedList, of: readonly RankedList[], slow: (row: number) => number): void {
  expect(isRanked(fused)).toBe(true);
  expect([...fused.rows].sort()).toEqual(allRows(of).sort());
  for (const [row, score] of places(fused)) {
    const expected = slow(row);
    expect(Math.abs(score - expected)).toBeLessThanOrEqual(1e-11 * (1 + Math.abs(expected)));
  }
}

function rankOf(inside: RankedList, row: number): number | undefined {
  const place = inside.rows.indexOf(row);
  return place === -1 ? undefined : place + 1;
}

function total(of: readonly RankedList[], term: (list: RankedList, i: number) => number): number {
  return of.reduce((sum, each, i) => sum + term(each, i), 0);
}

describe('two lists worked by hand', () => {
  it.each<[Fusion, [number, number][]]>([
    // Min-max: A = 1, 0.5, 0 for 1, 2, 3; B = 1, 0.5, 0 for 3, 1, 4.
    [
      { method: 'comb-sum' },
      [
        [1, 0.75],
        [3, 0.5],
        [2, 0.25],
        [4, 0],
      ],
    ],
    // Row 3 is last in A and so counts as found by B only.
    [
      { method: 'comb-mnz' },
      [
        [1, 1.5],
        [3, 0.5],
        [2, 0.25],
        [4, 0],
      ],
    ],
    [
      { method: 'weighted-sum', weights: [2, -1] },
      [
        [1, 1.5],
        [2, 1],
        [4, 0],
        [3, -1],
      ],
    ],
    [
      { method: 'weighted-sum', weights: [1, 10], normalisation: 'none' },
      [
        [1, 15],
        [3, 11],
        [2, 6],
        [4, 1],
      ],
    ],
    [
      { method: 'weighted-sum', weights: [1, 10], normalisation: 'none', missing: 'minimum' },
      [
        [1, 15],
        [3, 11],
        [2, 7],
        [4, 3],
      ],
    ],
    [
      { method: 'rrf' },
      [
        [1, 1 / 61 + 1 / 62],
        [3, 1 / 63 + 1 / 61],
        [2, 1 / 62],
        [4, 1 / 63],
      ],
    ],
    [
      { method: 'rrf', k: 0, weights: [3, 1] },
      [
        [1, 1.75],
        [3, 1],
        [2, 0.75],
        [4, 1 / 6],
      ],
    ],
    // Ranks 1, 2, 3, 4 and 2, 4, 1, 3 for rows 1 to 4.
    [
      { method: 'average-rank' },
      [
        [1, 1 / (1.5 + 1e-6)],
        [3, 1 / (2 + 1e-6)],
        [2, 1 / (3 + 1e-6)],
        [4, 1 / (3.5 + 1e-6)],
      ],
    ],
    // Points of four: 1, 0.75, 0.5 and 0.25 for the missing one.
    [
      { method: 'borda' },
      [
        [1, 0.875],
        [3, 0.75],
        [2, 0.5],
        [4, 0.375],
      ],
    ],
  ])('%j', (fusion, expected) => {
    const fused = places(fuse([A, B], fusion));
    expect(fused.map(([row]) => row)).toEqual(expected.map(([row]) => row));
    for (const [i, [, score]] of fused.entries()) expect(score).toBeCloseTo(expected[i]![1], 12);
  });
});

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

describe.each(EVEN)('%j', (fusion) => {
  it('does not depend on the order of the lists, to the last bit', () => {
    fc.assert(
      fc.property(fc.array(someList, { maxLength: 5 }), (of) => {
        expect(fuse([...of].reverse(), fusion)).toEqual(fuse(of, fusion));
      }),
    );
  });

  it('puts first what is first in every list', () => {
    fc.assert(
      fc.property(fc.array(someList, { minLength: 1, maxLength: 4 }), (of) => {
        const crowned = of.map((each) => list([77, 60], ...places(each).filter(([row]) => row !== 77)));
        const { rows, scores } = fuse(crowned, fusion);
        expect(scores[rows.indexOf(77)]).toBe(scores[0]);
      }),
    );
  });

  it('holds every row of any list once, in order', () => {
    fc.assert(
      fc.property(lists, (of) => {
        const fused = fuse(of, fusion);
        expect(isRanked(fused)).toBe(true);
        expect([...fused.rows].sort()).toEqual(allRows(of).sort());
      }),
    );
  });

  it('makes an empty list of nothing', () => {
    for (const of of [[], [list()], [list(), list()]]) expect(places(fuse(of, fusion))).toEqual([]);
  });

  it('lets a retriever that found nothing change no order', () => {
    fc.assert(
      fc.property(someList, (one) => {
        expect([...fuse([one, list()], fusion).rows]).toEqual([...fuse([one], fusion).rows]);
      }),
    );
  });
});

describe('a fusion as data', () => {
  it('survives JSON', () => {
    const fusion: Fusion = {
      method: 'weighted-sum',
      weights: [0.7, 0.3],
      normalisation: [{ method: 'global-zmuv', mean: 5, deviation: 2 }, 'zmuv'],
      missing: 'minimum',
    };
    const fused = fuse([A, B], JSON.parse(JSON.stringify(fusion)) as Fusion);
    const filledB = list([3, 0.9], [1, 0.5], [4, 0.1], [2, 0.1]);
    expect(scoreOf(fused, 2)).toBeCloseTo(0.7 * 0.5 + 0.3 * scoreOf(zmuvNorm(filledB), 2)!, 12);
  });

  it.each<[string, string, object]>([
    ['an unknown method', 'INVALID_ARGUMENT', { method: 'comb-max' }],
    ['a method from the prototype', 'INVALID_ARGUMENT', { method: 'toString' }],
    ['no method', 'INVALID_ARGUMENT', {}],
    ['an option of another method', 'INVALID_ARGUMENT', { method: 'comb-sum', k: 60 }],
    ['an unknown way with missing rows', 'INVALID_ARGUMENT', { method: 'comb-sum', missing: 'none' }],
    ['a negative share', 'INVALID_ARGUMENT', { method: 'comb-sum', weights: [1, -1] }],
    ['shares of nothing', 'INVALID_ARGUMENT', { method: 'rrf', weights: [0, 0] }],
    ['a weight that is no number', 'INVALID_ARGUMENT', { method: 'average-rank', weights: [1, '1'] }],
    ['no weights', 'INVALID_ARGUMENT', { method: 'weighted-sum' }],
    ['too few weights', 'LENGTH_MISMATCH', { method: 'weighted-sum', weights: [1] }],
    [
      'too many normalisations',
      'LENGTH_MISMATCH',
      { method: 'comb-mnz', normalisation: ['sum', 'sum', 'sum'] },
    ],
    ['a k below 0', 'INVALID_ARGUMENT', { method: 'rrf', k: -1 }],
    ['a k that is no number', 'INVALID_ARGUMENT', { method: 'rrf', k: '60' }],
  ])('is refused with %s', (_, code, fusion) => {
    expect(() => fuse([A, B], fusion as Fusion)).toThrow(expect.objectContaining({ code }));
  });

  it('is refused for what is no array of lists', () => {
    for (const fusion of EVEN) {
      expect(() => fuse(A as never, fusion)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
    }
  });

  it('can be every method that is registered', () => {
    const weights = [1, 1];
    const statistics = [
      { mean: 0, deviation: 1 },
      { mean: 0, deviation: 1 },
    ];
    for (const method of Object.keys(FUSION_METHODS)) {
      const fusion = {
        method,
        ...(method === 'weighted-sum' && { weights }),
        ...(method === 'score-based' && { weights, statistics }),
      } as Fusion;
      expect([...fuse([A, B], fusion).rows].sort()).toEqual([1, 2, 3, 4]);
    }
  });
});
