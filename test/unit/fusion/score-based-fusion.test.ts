import { describe, expect, it } from 'vitest';
import {
  fuse,
  SCORE_BASED_FUSION_PRESETS,
  scoreBasedFusion,
  scoreBasedFusionStatistics,
} from '../../../src/fusion/index.js';
import type { RankedList } from '../../../src/ranking/ranked-list.js';
import { list, scoreOf } from './some-lists.js';

/** Two retrievers, two queries; the images say something about the first query only. */
const QUERIES = [
  [list([1, 80], [2, 70]), list([3, 0.9], [1, 0.2])],
  [list([1, 72], [2, 71]), list([2, 0.22], [3, 0.21])],
];

/** The same from the definition, with plain objects: fill in, mean and deviation over the whole run, weighted sum. */
function slowFusion(queries: RankedList[][], weights: number[], query: number): Record<number, number> {
  const runs = weights.map((_, run) =>
    queries.map((lists) => {
      const rows = new Set(lists.flatMap((each) => [...each.rows]));
      const own = lists[run]!;
      if (own.rows.length === 0) return {};
      const least = Math.min(...own.scores);
      return Object.fromEntries([...rows].map((row) => [row, scoreOf(own, row) ?? least]));
    }),
  );
  const fused: Record<number, number> = {};
  for (const [run, results] of runs.entries()) {
    const all = results.flatMap((result) => Object.values(result));
    const mean = all.reduce((sum, score) => sum + score, 0) / all.length;
    const deviation = Math.sqrt(all.reduce((sum, score) => sum + (score - mean) ** 2, 0) / all.length);
    for (const [row, score] of Object.entries(results[query]!)) {
      fused[Number(row)] = (fused[Number(row)] ?? 0) + weights[run]! * ((score - mean) / deviation);
    }
  }
  return fused;
}

it.each([
  ['two queries', QUERIES],
  ['a retriever that found nothing for one of them', [QUERIES[0]!, [QUERIES[1]![0]!, list()]]],
])('is default minimum, global zmuv, weighted sum: %s', (_, queries) => {
  const statistics = scoreBasedFusionStatistics(queries);
  for (const [query, lists] of queries.entries()) {
    const fused = scoreBasedFusion(lists, { weights: [0.8, 0.3], statistics });
    const expected = slowFusion(queries, [0.8, 0.3], query);
    expect([...fused.rows].sort()).toEqual(Object.keys(expected).map(Number).sort());
    for (const row of fused.rows) expect(scoreOf(fused, row)).toBeCloseTo(expected[row]!, 12);
  }
});

it('ranks differently from zero mean and unit variance query by query', () => {
  const lists = QUERIES[1]!;
  const statistics = scoreBasedFusionStatistics(QUERIES);
  const global = fuse(lists, { method: 'score-based', weights: [0.5, 0.6], statistics });
  const perQuery = fuse(lists, {
    method: 'weighted-sum',
    weights: [0.5, 0.6],
    normalisation: 'zmuv',
    missing: 'minimum',
  });
  // Over all queries the images' scores for this one are alike, and the texts' decide.
  expect([...global.rows]).toEqual([1, 2, 3]);
  expect([...perQuery.rows]).toEqual([2, 1, 3]);
});

describe('the published weights', () => {
  it.each(Object.entries(SCORE_BASED_FUSION_PRESETS))('%s', (name, weights) => {
    const lists = weights.map((_, i) => list([i, 1], [9, 0.5]));
    const statistics = lists.map(() => ({ mean: 0.5, deviation: 0.5 }));
    const preset = scoreBasedFusion(lists, {
      weights: name as keyof typeof SCORE_BASED_FUSION_PRESETS,
      statistics,
    });
    for (const [i, weight] of weights.entries()) expect(scoreOf(preset, i)).toBeCloseTo(weight, 12);
    expect(scoreOf(preset, 9)).toBe(0);
  });

  it.each([
    [
      'LENGTH_MISMATCH',
      {
        weights: 'dpr + clip-image + clip-title',
        statistics: [
          { mean: 0, deviation: 1 },
          { mean: 0, deviation: 1 },
        ],
      },
    ],
    [
      'INVALID_ARGUMENT',
      {
        weights: 'dpr',
        statistics: [
          { mean: 0, deviation: 1 },
          { mean: 0, deviation: 1 },
        ],
      },
    ],
    ['LENGTH_MISMATCH', { weights: [1, 1], statistics: [{ mean: 0, deviation: 1 }] }],
    ['INVALID_ARGUMENT', { weights: [1, 1] }],
  ])('%s for %j', (code, options) => {
    expect(() => scoreBasedFusion(QUERIES[0]!, options as never)).toThrow(expect.objectContaining({ code }));
  });
});

it('statistics need queries with equally many lists', () => {
  expect(() => scoreBasedFusionStatistics([QUERIES[0]!, [list()]])).toThrow(
    expect.objectContaining({ code: 'LENGTH_MISMATCH', details: { query: 1 } }),
  );
});
