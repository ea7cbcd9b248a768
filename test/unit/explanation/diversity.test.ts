import { describe, expect, it } from 'vitest';
import { type DiversifyOptions, diversify, normalisedEntropy } from '../../../src/explanation/index.js';
import { type RankedList, rankedList } from '../../../src/ranking/ranked-list.js';
import { type Matrix, matrix } from '../../../src/vectors/matrix.js';
import { product, smallMatrix } from './small-vectors.js';

describe('normalisedEntropy', () => {
  it('is H / ln K', () => {
    expect(normalisedEntropy(['a', 'b', 'c', 'd'])).toBe(1);
    expect(normalisedEntropy(['a', 'a', 'a', 'b'])).toBeCloseTo(
      -(0.75 * Math.log(0.75) + 0.25 * Math.log(0.25)) / Math.log(2),
      14,
    );
    expect(normalisedEntropy([1, 1, 2, 2], 4)).toBeCloseTo(0.5, 14);
  });

  it('is 0 where there is nothing to spread', () => {
    expect(normalisedEntropy([])).toBe(0);
    expect(normalisedEntropy(['a'])).toBe(0);
    expect(normalisedEntropy(['a', 'a'], 5)).toBe(0);
  });

  it.each([1, 1.5, Number.NaN])('refuses %d categories for two labels', (categories) => {
    expect(() => normalisedEntropy(['a', 'b'], categories)).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
    );
  });
});

/** By the definition: the best of all that are left, computed anew each time. */
function slowDiversify(
  { rows, scores }: RankedList,
  relevance: number,
  likeness: (a: number, b: number) => number,
) {
  const [most, least] = [Math.max(...scores), Math.min(...scores)];
  const taken: number[] = [];
  const values: number[] = [];
  while (taken.length < rows.length) {
    const left = [...rows.keys()].filter((item) => !taken.includes(item));
    const value = (item: number) =>
      (relevance * (scores[item]! - least)) / (most - least) -
      (1 - relevance) * Math.max(0, ...taken.map((other) => likeness(item, other)));
    const best = left.reduce((a, b) => {
      const more = value(b) - value(a);
      return more > 1e-12 || (more > -1e-12 && rows[b]! < rows[a]!) ? b : a;
    });
    values.push(value(best));
    taken.push(best);
  }
  return { rows: taken.map((item) => rows[item]!), values };
}

describe('diversify', () => {
  const list = rankedList([3, 9, 4, 1, 7, 20, 8], [0.9, 0.85, 0.8, 0.7, 0.5, 0.31, 0.1]);
  const vectors: Matrix = smallMatrix(7, 5, 4);
  const cosine = (a: number, b: number) =>
    product(vectors, a, vectors, b) /
    Math.sqrt(product(vectors, a, vectors, a) * product(vectors, b, vectors, b));
  const labels = ['x', 'x', 'x', 'y', 'y', 'x', 'z'];

  it.each([0, 0.3, 0.7, 1])(
    'is maximal marginal relevance at lambda %d, by vectors and by labels',
    (relevance) => {
      for (const [options, likeness] of [
        [{ vectors }, cosine],
        [{ labels }, (a: number, b: number) => (labels[a] === labels[b] ? 1 : 0)],
      ] as [DiversifyOptions, (a: number, b: number) => number][]) {
        const found = diversify(list, { ...options, relevance });
        const slow = slowDiversify(list, relevance, likeness);
        for (const [place, score] of found.scores.entries())
          expect(score).toBeCloseTo(slow.values[place]!, 12);
        expect([...found.rows]).toEqual(slow.rows);
        // A ranked list again: scores fall, rows rise where they are equal.
        expect(rankedList(found.rows, found.scores)).toEqual(found);
      }
    },
  );

  it('spreads labels over the first places', () => {
    const before = normalisedEntropy(labels.slice(0, 3), 3);
    const first = diversify(list, { labels, relevance: 0.5, k: 3 });
    const after = Array.from(first.rows, (row) => labels[list.rows.indexOf(row)]!);
    expect(before).toBe(0);
    expect(normalisedEntropy(after, 3)).toBeGreaterThan(0.5);
  });

  it('takes empty lists, single items, equal scores and vectors of zeros', () => {
    expect(diversify(rankedList([], []), { labels: [] }).rows).toHaveLength(0);
    expect([...diversify(rankedList([5], [2]), { labels: ['a'] }).rows]).toEqual([5]);
    const equal = rankedList([2, 1, 0], [1, 1, 1]);
    expect([...diversify(equal, { labels: ['a', 'a', 'b'] }).rows]).toEqual([0, 2, 1]);
    expect([...diversify(equal, { vectors: matrix(new Float32Array(6), 2) }).rows]).toEqual([0, 1, 2]);
  });

  it.each([
    ['INVALID_ARGUMENT', {}],
    ['INVALID_ARGUMENT', { labels, vectors }],
    ['INVALID_ARGUMENT', { labels, relevance: 1.1 }],
    ['INVALID_ARGUMENT', { labels, lambda: 1 }],
    ['K_OUT_OF_RANGE', { labels, k: 0 }],
    ['LENGTH_MISMATCH', { labels: ['a'] }],
    ['NOT_FINITE', { vectors: matrix(new Float32Array(7).fill(Number.NaN), 1) }],
  ])('refuses with %s: %o', (code, options) => {
    expect(() => diversify(list, options as DiversifyOptions)).toThrow(expect.objectContaining({ code }));
  });
});
