import { describe, expect, it } from 'vitest';
import {
  composeQuery,
  conditionScores,
  coverFacets,
  facetQueries,
  intersectionOfParts,
  jitterQuery,
  projectOnRelevantPatches,
  resultDispersion,
  unionOfParts,
} from '../../../src/composition/index.js';
import { rankedList } from '../../../src/ranking/ranked-list.js';
import { matrix, matrixRow } from '../../../src/vectors/matrix.js';
import { product, smallMatrix } from '../explanation/small-vectors.js';

const nothing = rankedList([], []);
const code = (name: string) => expect.objectContaining({ code: name });

describe('composeQuery', () => {
  const [a, b] = [Float32Array.of(1, 0, 0), Float32Array.of(0, 0.6, 0.8)];

  it('is the weighted sum, not renormalised unless asked', () => {
    const parts = [
      { vector: a, weight: 0.7 },
      { vector: b, weight: 0.3 },
    ];
    const sum = [0.7, 0.3 * Math.fround(0.6), 0.3 * Math.fround(0.8)];
    expect([...composeQuery(parts)]).toEqual(sum.map(Math.fround));
    const length = Math.hypot(...sum);
    expect([...composeQuery(parts, { normalise: true })]).toEqual(
      sum.map((value) => Math.fround(value / length)),
    );
    expect(Math.hypot(...composeQuery(parts))).toBeCloseTo(0.7616, 4);
  });

  it('composes one query per facet', () => {
    const facets = matrix(Float32Array.of(...a, ...b), 3);
    const composed = facetQueries(b, facets);
    expect(matrixRow(composed, 0)).toEqual(
      composeQuery([
        { vector: b, weight: 0.7 },
        { vector: a, weight: 0.3 },
      ]),
    );
    expect(matrixRow(composed, 1)[2]).toBeCloseTo(0.8, 6);
  });

  it('refuses what cannot be composed', () => {
    expect(() => composeQuery([])).toThrow(code('INVALID_ARGUMENT'));
    expect(() => composeQuery([{ vector: a, weight: Number.NaN }])).toThrow(code('INVALID_ARGUMENT'));
    const uneven = [a, Float32Array.of(1)].map((vector) => ({ vector, weight: 1 }));
    expect(() => composeQuery(uneven)).toThrow(code('LENGTH_MISMATCH'));
    const opposite = [1, -1].map((weight) => ({ vector: a, weight }));
    expect(() => composeQuery(opposite, { normalise: true })).toThrow(code('NOT_FINITE'));
    expect([...composeQuery(opposite)]).toEqual([0, 0, 0]);
  });
});

describe('coverFacets', () => {
  const scores = [
    [0.9, 0.8, 0.1],
    [0.95, 0.7, 0.65],
    [0.2, 0.6, 0.5],
  ];
  const lists = [rankedList([0, 1], [1, 0.5]), rankedList([0, 1, 2], [3, 2, 1]), rankedList([1, 2], [2, 1])];
  const score = (facet: number, row: number) => scores[facet]![row]!;

  it('gives each facet its best row that is free and above the threshold', () => {
    const cover = coverFacets(lists, score);
    // The second facet would like row 0, which is taken; 0.6 is not above 0.6.
    expect([...cover.rows]).toEqual([0, 1, -1]);
    expect(cover.list).toEqual(rankedList([0, 1], [0.9, 0.7]));
    expect(cover.coverage).toBeCloseTo(2 / 3, 15);
  });

  it('looks at so many candidates only, and takes empty lists', () => {
    expect([...coverFacets(lists, score, { candidates: 1 }).rows]).toEqual([0, -1, -1]);
    expect(coverFacets([], score)).toEqual({ list: nothing, rows: new Int32Array(0), coverage: 0 });
    expect(coverFacets([nothing], score).coverage).toBe(0);
    expect(() => coverFacets(lists, () => Number.NaN)).toThrow(code('NOT_FINITE'));
    expect(() => coverFacets(lists, score, { candidates: 0 })).toThrow(code('INVALID_ARGUMENT'));
  });

  it('gives equal scores to the lower row', () => {
    expect([...coverFacets([rankedList([2, 1], [2, 1])], () => 1).rows]).toEqual([1]);
  });
});

describe('intersection and union of parts', () => {
  const image = rankedList([1, 2, 3, 4], [0.9, 0.6, 0.5, 0.4]);
  const text = rankedList([2, 1, 5], [12, 2, 1]);

  /** Missing rows get the least score; then zero mean and unit variance. */
  function standardised(list: typeof image): Map<number, number> {
    const least = Math.min(...list.scores);
    const scores = [1, 2, 3, 4, 5].map((row) => {
      const place = list.rows.indexOf(row);
      return place === -1 ? least : list.scores[place]!;
    });
    const mean = scores.reduce((sum, s) => sum + s, 0) / 5;
    const deviation = Math.sqrt(scores.reduce((sum, s) => sum + (s - mean) ** 2, 0) / 5);
    return new Map(scores.map((s, i) => [i + 1, (s - mean) / deviation]));
  }

  it('are the least and the sum of the standardised scores', () => {
    const [i, t] = [standardised(image), standardised(text)];
    for (const [found, combine] of [
      [intersectionOfParts([image, text]), Math.min],
      [unionOfParts([image, text]), (a: number, b: number) => a + b],
    ] as const) {
      expect(found.rows).toHaveLength(5);
      for (const [place, row] of found.rows.entries()) {
        expect(found.scores[place]).toBeCloseTo(combine(i.get(row)!, t.get(row)!), 12);
      }
    }
  });

  it('differ: what one part likes very much wins the union, what both like the intersection', () => {
    const one = rankedList([0, 1, 2, 3], [10, 6, 0, 0]);
    const two = rankedList([1, 2, 3, 0], [6, 5.9, 5.9, 5]);
    expect(unionOfParts([rankedList([0, 1, 2, 3], [100, 6, 0, 0]), one]).rows[0]).toBe(0);
    expect(intersectionOfParts([one, two]).rows[0]).toBe(1);
  });

  it('leave out empty lists', () => {
    expect(intersectionOfParts([image, nothing])).toEqual(intersectionOfParts([image]));
    expect(unionOfParts([])).toEqual(nothing);
    expect(() => unionOfParts([rankedList([1], [Infinity])])).toThrow(code('NOT_FINITE'));
  });
});

describe('projectOnRelevantPatches', () => {
  const patches = smallMatrix(6, 7, 5);
  const image = smallMatrix(1, 7, 6);
  const text = smallMatrix(1, 7, 7);

  it('leaves a rest that is orthogonal to the relevant patches, and is a projection', () => {
    const projected = projectOnRelevantPatches(image.data, patches, text.data, { patches: 3 });
    const relevant = [...Array(6).keys()]
      .sort((a, b) => product(text, 0, patches, b) - product(text, 0, patches, a))
      .slice(0, 3);
    const rest = matrix(
      image.data.map((value, k) => value - projected[k]!),
      7,
    );
    for (const row of relevant) expect(product(rest, 0, patches, row)).toBeCloseTo(0, 6);
    const again = projectOnRelevantPatches(projected, patches, text.data, { patches: 3 });
    for (const [k, value] of again.entries()) expect(value).toBeCloseTo(projected[k]!, 6);
    expect(Math.hypot(...projected)).toBeLessThan(Math.hypot(...image.data));
  });

  it('passes over patches that bring nothing new', () => {
    const row = matrixRow(patches, 2);
    const copies = matrix(
      Float32Array.from({ length: 28 }, (_, i) => row[i % 7]! * 2 ** Math.floor(i / 7)),
      7,
    );
    const one = projectOnRelevantPatches(image.data, matrix(row.slice(), 7), text.data);
    const many = projectOnRelevantPatches(image.data, copies, text.data);
    for (const [k, value] of many.entries()) expect(value).toBeCloseTo(one[k]!, 6);
    const zeros = projectOnRelevantPatches(image.data, matrix(new Float32Array(14), 7), text.data);
    expect([...zeros]).toEqual([0, 0, 0, 0, 0, 0, 0]);
  });

  it('refuses what does not fit', () => {
    expect(() => projectOnRelevantPatches(image.data, patches, new Float32Array(3))).toThrow(
      code('LENGTH_MISMATCH'),
    );
    expect(() => projectOnRelevantPatches(image.data, patches, new Float32Array(7).fill(Number.NaN))).toThrow(
      code('NOT_FINITE'),
    );
    expect(() => projectOnRelevantPatches(image.data, patches, text.data, { patches: 0 })).toThrow(
      code('INVALID_ARGUMENT'),
    );
  });
});

describe('conditionScores', () => {
  const conditions = smallMatrix(3, 4, 8);
  const facets = smallMatrix(6, 4, 9);
  const items = { data: facets.data, lengths: Uint32Array.of(2, 1, 3), columns: 4 };
  const ranges = [[0, 1], [2], [3, 4, 5]];

  it.each(['sum', 'min'] as const)('aggregates by %s and says how each condition is met', (aggregation) => {
    const { list, satisfaction } = conditionScores(conditions, items, { aggregation });
    for (const [item, own] of ranges.entries()) {
      const met = [0, 1, 2].map((c) => Math.max(...own.map((f) => product(conditions, c, facets, f))));
      for (const [c, value] of matrixRow(satisfaction, item).entries()) expect(value).toBeCloseTo(met[c]!, 6);
      const score = aggregation === 'min' ? Math.min(...met) : met.reduce((a, b) => a + b, 0);
      expect(list.scores[list.rows.indexOf(item)]).toBeCloseTo(score, 6);
    }
    expect(list.rows).toHaveLength(3);
  });

  it('refuses items without facets, and lengths that do not add up', () => {
    const wrong = (lengths: number[]) => () =>
      conditionScores(conditions, { ...items, lengths: Uint32Array.from(lengths) });
    expect(wrong([6, 0])).toThrow(code('EMPTY_DOCUMENT'));
    expect(wrong([2])).toThrow(code('LENGTH_MISMATCH'));
    expect(() => conditionScores(conditions, items, { aggregation: 'max' as 'min' })).toThrow(
      code('INVALID_ARGUMENT'),
    );
  });
});

describe('jitterQuery and resultDispersion', () => {
  const query = smallMatrix(1, 64, 3).data;

  it('repeats itself for a seed, and leaves the query alone at scale 0', () => {
    expect(jitterQuery(query, { seed: 5 })).toEqual(jitterQuery(query, { seed: 5 }));
    expect(jitterQuery(query, { seed: 5 })).not.toEqual(jitterQuery(query, { seed: 6 }));
    const still = jitterQuery(query, { scale: 0, count: 2 });
    expect([...still.data]).toEqual([...query, ...query]);
    expect([...jitterQuery(new Float32Array(4).fill(3)).data]).toEqual(Array(32).fill(3));
  });

  it('perturbs with the spread of the formula', () => {
    const { data, rows } = jitterQuery(query, { count: 4000, seed: 1 });
    const mean = query.reduce((a, b) => a + b, 0) / 64;
    const variance = query.reduce((a, b) => a + (b - mean) ** 2, 0) / 64;
    for (const k of [0, 17, 63]) {
      const noise = Array.from({ length: rows }, (_, r) => data[r * 64 + k]! - query[k]!);
      const spread = Math.sqrt(noise.reduce((sum, value) => sum + value ** 2, 0) / rows);
      const normalised = (query[k]! - mean) / Math.sqrt(variance);
      expect(spread / (variance * Math.sqrt(1 + normalised ** 2))).toBeCloseTo(1, 1);
      expect(Math.abs(noise.reduce((a, b) => a + b, 0) / rows)).toBeLessThan(4 * (spread / Math.sqrt(rows)));
    }
  });

  it('measures how far lists disagree', () => {
    const [a, b] = [rankedList([1, 2], [2, 1]), rankedList([2, 3], [2, 1])];
    expect(resultDispersion([a, a, a], 2)).toBe(0);
    expect(resultDispersion([a, b], 2)).toBeCloseTo(2 / 3, 15);
    expect(resultDispersion([a, b], 1)).toBe(1);
    expect(resultDispersion([a, a, b], 2)).toBeCloseTo(1 - (1 + 1 / 3 + 1 / 3) / 3, 15);
    expect(resultDispersion([a], 2)).toBe(0);
    expect(resultDispersion([nothing, nothing], 2)).toBe(0);
    expect(() => resultDispersion([a, b], 0)).toThrow(code('K_OUT_OF_RANGE'));
  });

  it.each([{ count: 0 }, { scale: -1 }, { spread: 1 }])('refuses %o', (options) => {
    expect(() => jitterQuery(query, options)).toThrow(code('INVALID_ARGUMENT'));
  });
});
