import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FUSION_METHODS, type Fusion, fuse, zmuvNorm } from '../../../src/fusion/index.js';
import { A, allRows, B, isRanked, list, places, scoreOf, someList } from './some-lists.js';

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
        // Halves of the least numbers may become equal, but no row overtakes another.
        const fused = fuse([one, list()], fusion);
        const scores = Array.from(fuse([one], fusion).rows, (row) => scoreOf(fused, row)!);
        expect(scores).toEqual([...scores].sort((a, b) => b - a));
        expect(scores.length).toBe(fused.rows.length);
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
