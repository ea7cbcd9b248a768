import { describe, expect, it } from 'vitest';
import { crossValidateWeights, fuse, tuneWeights } from '../../../src/fusion/index.js';
import type { RankedList } from '../../../src/ranking/ranked-list.js';
import { list } from './some-lists.js';

/** Row 0 is relevant; list 1 knows it, lists 0 and 2 do not. */
const QUERIES = Array.from({ length: 6 }, (_, query) => [
  list([7, 3], [8, 2 + query / 10], [0, 1]),
  list([0, 0.9], [9, 0.8], [7, 0.1 * query]),
  list([9, 5], [8, 4], [0, 3.5]),
]);

function reciprocalRank(_: number, { rows }: RankedList): number {
  return rows.includes(0) ? 1 / (rows.indexOf(0) + 1) : 0;
}

function slowBest(
  metric: (query: number, fused: RankedList) => number,
  parts: number,
  counted: readonly number[],
): { weights: number[]; value: number } {
  let best = { weights: [0, 0, 0], value: Number.NEGATIVE_INFINITY };
  for (let a = parts; a >= 0; a--) {
    for (let b = parts - a; b >= 0; b--) {
      const weights = [a / parts, b / parts, (parts - a - b) / parts];
      const values = counted.map((query) =>
        metric(query, fuse(QUERIES[query]!, { method: 'weighted-sum', weights })),
      );
      const value = values.reduce((sum, each) => sum + each, 0) / values.length;
      if (value > best.value) best = { weights, value };
    }
  }
  return best;
}

/** Prefers weights that no corner of the grid has, other ones for other queries. */
function picky(query: number, { rows, scores }: RankedList): number {
  return -Math.abs(scores[rows.indexOf(0)]! - (query % 2 === 0 ? 0.31 : 0.52));
}

describe('tuned weights', () => {
  it.each([reciprocalRank, picky])('are the first best of the grid for %o', (metric) => {
    for (const step of [0.1, 0.25, 1 / 3, 1]) {
      const tuned = tuneWeights(QUERIES, metric, { step });
      const { weights, value } = slowBest(metric, Math.round(1 / step), [0, 1, 2, 3, 4, 5]);
      expect(tuned.weights).toEqual(weights);
      expect(tuned.value).toBeCloseTo(value, 12);
    }
  });

  it('are tenths by default, as one writes them', () => {
    const { weights } = tuneWeights(QUERIES, picky);
    expect(weights.map(String).every((weight) => weight.length <= 3)).toBe(true);
  });

  it('are [1, 0, 0] where nothing makes a difference', () => {
    expect(tuneWeights(QUERIES, () => 0.5)).toMatchObject({ weights: [1, 0, 0], value: 0.5 });
  });

  it('are those of the fusion that is asked for', () => {
    const seen: RankedList[] = [];
    tuneWeights(
      QUERIES.slice(0, 1),
      (_, fused) => {
        seen.push(fused);
        return 0;
      },
      { step: 0.5, fusion: { method: 'rrf', k: 3 } },
    );
    expect(seen).toHaveLength(6);
    expect(seen[1]).toEqual(fuse(QUERIES[0]!, { method: 'rrf', k: 3, weights: [0.5, 0.5, 0] }));
  });

  it.each<[string, object]>([
    ['INVALID_ARGUMENT', { step: 0.3 }],
    ['INVALID_ARGUMENT', { step: 0 }],
    ['INVALID_ARGUMENT', { step: 2 }],
    ['INVALID_ARGUMENT', { step: 0.001 }],
    ['INVALID_ARGUMENT', { step: '0.1' }],
    ['INVALID_ARGUMENT', { steps: 0.1 }],
  ])('%s for %j', (code, options) => {
    expect(() => tuneWeights(QUERIES, () => 0, options)).toThrow(expect.objectContaining({ code }));
  });

  it('need queries with equally many lists, and a metric that is a number', () => {
    for (const queries of [[], [[]], [QUERIES[0]!, []]]) {
      expect(() => tuneWeights(queries, () => 0)).toThrow(
        expect.objectContaining({ code: 'LENGTH_MISMATCH' }),
      );
    }
    expect(() => tuneWeights(QUERIES, (query) => (query === 2 ? Number.NaN : 1))).toThrow(
      expect.objectContaining({ code: 'NOT_FINITE', details: { query: 2 } }),
    );
  });
});

describe('cross-validation', () => {
  it('evaluates each part with the weights that the others chose', () => {
    const { value, folds } = crossValidateWeights(QUERIES, picky, { folds: 2, step: 0.25 });
    const even = slowBest(picky, 4, [0, 2, 4]);
    const odd = slowBest(picky, 4, [1, 3, 5]);
    // Part 0 is the even queries: the odd ones chose for it.
    expect(folds.map(({ weights }) => weights)).toEqual([odd.weights, even.weights]);
    expect(folds[0]!.value).toBeCloseTo(odd.value, 12);
    const heldOut = QUERIES.map((lists, query) =>
      picky(
        query,
        fuse(lists, { method: 'weighted-sum', weights: query % 2 === 0 ? odd.weights : even.weights }),
      ),
    );
    expect(value).toBeCloseTo(heldOut.reduce((sum, each) => sum + each, 0) / 6, 12);
    expect(value).toBeLessThan(tuneWeights(QUERIES, picky, { step: 0.25 }).value);
  });

  it.each([1, 7, 2.5])('refuses %s parts of six queries', (folds) => {
    expect(() => crossValidateWeights(QUERIES, picky, { folds })).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
    );
  });
});
