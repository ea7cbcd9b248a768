import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  defaultMinimum,
  globalStatistics,
  globalZmuvNorm,
  maxNorm,
  minMaxNorm,
  NORMALISATIONS,
  type Normalisation,
  normalise,
  rankNorm,
  softmaxNorm,
  sumNorm,
  zmuvNorm,
} from '../../../src/fusion/index.js';
import type { RankedList } from '../../../src/ranking/ranked-list.js';
import { isRanked, list, places, scoreOf, someList } from './some-lists.js';

const EMPTY = list();

/** The definitions, each for one score among all of its list. */
const DEFINITIONS: [string, Normalisation, (s: number, all: number[]) => number][] = [
  ['none', 'none', (s) => s],
  ['zmuv', 'zmuv', (s, all) => (s - average(all)) / Math.max(populationDeviation(all), 1e-9)],
  ['global-zmuv', { method: 'global-zmuv', mean: 3, deviation: 0.5 }, (s) => (s - 3) / 0.5],
  [
    'min-max',
    'min-max',
    (s, all) =>
      Math.max(...all) === Math.min(...all)
        ? 0
        : (s - Math.min(...all)) / (Math.max(...all) - Math.min(...all)),
  ],
  [
    'softmax',
    { method: 'softmax', temperature: 20 },
    (s, all) => Math.exp(s / 20) / all.reduce((sum, other) => sum + Math.exp(other / 20), 0),
  ],
  [
    'sum',
    'sum',
    (s, all) => {
      const above = all.reduce((sum, other) => sum + other - Math.min(...all), 0);
      return above === 0 ? 0 : (s - Math.min(...all)) / above;
    },
  ],
];

function average(values: number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function populationDeviation(values: number[]): number {
  return Math.sqrt(average(values.map((value) => (value - average(values)) ** 2)));
}

describe.each(DEFINITIONS)('%s', (_, normalisation, definition) => {
  it('is its definition, score by score', () => {
    fc.assert(
      fc.property(someList, (original) => {
        // Scores that differ by next to nothing make a deviation of rounding errors, in one form as in the other.
        fc.pre(
          original.scores.length === 0 ||
            populationDeviation([...original.scores]) === 0 ||
            populationDeviation([...original.scores]) > 1e-3,
        );
        const normalised = normalise(original, normalisation);
        expect(isRanked(normalised)).toBe(true);
        expect([...normalised.rows].sort()).toEqual([...original.rows].sort());
        for (const [row, score] of places(original)) {
          const expected = definition(score, [...original.scores]);
          expect(Math.abs(scoreOf(normalised, row)! - expected)).toBeLessThanOrEqual(
            1e-7 + 1e-9 * Math.abs(expected),
          );
        }
      }),
    );
  });

  it('never turns an order round', () => {
    fc.assert(
      fc.property(someList, (original) => {
        const normalised = normalise(original, normalisation);
        for (let place = 1; place < original.rows.length; place++) {
          const better = scoreOf(normalised, original.rows[place - 1]!)!;
          expect(better).toBeGreaterThanOrEqual(scoreOf(normalised, original.rows[place]!)!);
        }
      }),
    );
  });
});

describe('every normalisation', () => {
  const each: Normalisation[] = (Object.keys(NORMALISATIONS) as (keyof typeof NORMALISATIONS)[]).map(
    (method) => (method === 'global-zmuv' ? { method, mean: 0, deviation: 1 } : method),
  );

  it.each(each)('%j leaves an empty list empty, and its argument alone', (normalisation) => {
    expect(places(normalise(EMPTY, normalisation))).toEqual([]);
    const original = list([1, 4], [2, 3]);
    normalise(original, normalisation);
    expect(places(original)).toEqual([
      [1, 4],
      [2, 3],
    ]);
  });

  it.each(each)('%j refuses infinite scores, and says of which row', (normalisation) => {
    for (const infinite of [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY]) {
      expect(() => normalise(list([4, 1], [7, infinite]), normalisation)).toThrow(
        expect.objectContaining({ code: 'NOT_FINITE', details: { row: 7 } }),
      );
    }
  });

  it.each(each)('%j refuses an option that it does not have', (normalisation) => {
    const options = typeof normalisation === 'string' ? { method: normalisation } : normalisation;
    expect(() => normalise(EMPTY, { ...options, means: 1 } as never)).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT', message: expect.stringContaining('means') }),
    );
  });

  it('has a name that is known', () => {
    for (const name of ['minmax', 'toString', undefined]) {
      expect(() => normalise(EMPTY, name as Normalisation)).toThrow(
        expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
      );
    }
  });
});

describe('one item', () => {
  it.each<[string, (list: RankedList) => RankedList, number]>([
    ['zmuv', zmuvNorm, 0],
    ['min-max', minMaxNorm, 0],
    ['softmax', softmaxNorm, 1],
    ['max', maxNorm, 1],
    ['sum', sumNorm, 0],
    ['rank', rankNorm, 1],
  ])('%s', (_, normaliseOne, expected) => {
    expect(places(normaliseOne(list([8, 0.3])))).toEqual([[8, expected]]);
  });
});

it('zmuv makes equal scores exactly 0, however large they are and however their mean would round', () => {
  for (const score of [0.1, 1e8 / 3, -7e15 / 9]) {
    expect(places(zmuvNorm(list([1, score], [2, score], [3, score])))).toEqual([
      [1, 0],
      [2, 0],
      [3, 0],
    ]);
  }
});

it('scores that become equal put the lower row first', () => {
  const flattened = globalZmuvNorm(list([9, 1 + 2 ** -52], [4, 1]), { mean: 1e17, deviation: 1 });
  expect([...flattened.rows]).toEqual([4, 9]);
});

it('max divides by the greatest, and refuses one that would turn the order round', () => {
  expect(places(maxNorm(list([1, 4], [2, 1], [3, -2])))).toEqual([
    [1, 1],
    [2, 0.25],
    [3, -0.5],
  ]);
  for (const greatest of [0, -1]) {
    expect(() => maxNorm(list([1, greatest], [2, -3]))).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
    );
  }
});

it('rank counts places, also among equal scores', () => {
  expect(places(rankNorm(list([5, 2], [3, 2], [8, -100], [1, 90])))).toEqual([
    [1, 1],
    [3, 0.75],
    [5, 0.5],
    [8, 0.25],
  ]);
});

it('softmax of unit vectors is almost flat at temperature 1, and is not at 0.01', () => {
  const cosines = list([0, 0.35], [1, 0.3], [2, 0.28]);
  expect(softmaxNorm(cosines).scores[0]! / softmaxNorm(cosines).scores[2]!).toBeLessThan(1.1);
  expect(softmaxNorm(cosines, { temperature: 0.01 }).scores[0]).toBeGreaterThan(0.99);
  expect(() => softmaxNorm(cosines, { temperature: 0 })).toThrow(
    expect.objectContaining({ code: 'TEMPERATURE_INVALID' }),
  );
});

it('softmax does not overflow', () => {
  expect(softmaxNorm(list([0, 5000], [1, 5000]), { temperature: 0.01 }).scores).toEqual(
    Float64Array.of(0.5, 0.5),
  );
});

describe('global statistics', () => {
  it('are those of all scores together', () => {
    fc.assert(
      fc.property(fc.array(someList), (lists) => {
        const all = lists.flatMap(({ scores }) => [...scores]);
        if (all.length === 0) {
          expect(() => globalStatistics(lists)).toThrow(expect.objectContaining({ code: 'LENGTH_MISMATCH' }));
          return;
        }
        const { mean, deviation } = globalStatistics(lists);
        expect(mean).toBeCloseTo(average(all), 9);
        expect(deviation).toBeCloseTo(populationDeviation(all), 9);
      }),
    );
  });

  it('survive being stored as JSON', () => {
    const statistics = globalStatistics([list([1, 0.1], [2, 0.7]), list([1, 1 / 3])]);
    expect(JSON.parse(JSON.stringify(statistics))).toEqual(statistics);
  });

  it.each([{ mean: Number.NaN, deviation: 1 }, { mean: 0, deviation: -1 }, { mean: 0 }])(
    '%j are refused',
    (statistics) => {
      expect(() => globalZmuvNorm(EMPTY, statistics as never)).toThrow(
        expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
      );
    },
  );

  it('divide by 1e-9 at least', () => {
    const scores = list([1, 3], [2, 2]);
    expect(globalZmuvNorm(scores, { mean: 2, deviation: 1e-8 }).scores[0]).toBeCloseTo(1e8, 3);
    expect(globalZmuvNorm(scores, { mean: 2, deviation: 0 }).scores[0]).toBeCloseTo(1e9, 3);
    expect(globalZmuvNorm(scores, { mean: 2, deviation: 1e-12 }).scores[0]).toBeCloseTo(1e9, 3);
  });

  it('keep a bad query bad, where the statistics of the query itself make it look like a good one', () => {
    const good = list([1, 9], [2, 8]);
    const bad = list([1, 0.9], [2, 0.8]);
    expect(zmuvNorm(good).scores[0]).toBeCloseTo(zmuvNorm(bad).scores[0]!, 9);
    const statistics = globalStatistics([good, bad]);
    expect(globalZmuvNorm(bad, statistics).scores[0]).toBeLessThan(0);
    expect(globalZmuvNorm(good, statistics).scores[1]).toBeGreaterThan(0);
  });
});

describe('default minimum', () => {
  it('gives every list every row, a missing one the least score of the list', () => {
    fc.assert(
      fc.property(fc.array(someList, { maxLength: 4 }), (lists) => {
        const all = new Set(lists.flatMap(({ rows }) => [...rows]));
        for (const [i, completed] of defaultMinimum(lists).entries()) {
          const original = lists[i]!;
          if (original.rows.length === 0) {
            expect(completed.rows.length).toBe(0);
            continue;
          }
          expect(isRanked(completed)).toBe(true);
          expect(new Set(completed.rows)).toEqual(all);
          const least = Math.min(...original.scores);
          for (const row of all) expect(scoreOf(completed, row)).toBe(scoreOf(original, row) ?? least);
        }
      }),
    );
  });

  it('refuses infinite scores', () => {
    expect(() => defaultMinimum([list([1, Number.NEGATIVE_INFINITY])])).toThrow(
      expect.objectContaining({ code: 'NOT_FINITE' }),
    );
  });
});
