import { expect, test } from 'vitest';
import { evaluateRun } from '../../../../src/evaluation/evaluate-run.js';
import { pairedBootstrapInterval } from '../../../../src/evaluation/significance/bootstrap-interval.js';
import { compareRuns, largestDifferences } from '../../../../src/evaluation/significance/compare-runs.js';
import { holmCorrection } from '../../../../src/evaluation/significance/holm-correction.js';
import { randomisationTest } from '../../../../src/evaluation/significance/randomisation-test.js';

const QUERIES = ['q1', 'q2', 'q3', 'q4', 'q5'];
const qrels = new Map(QUERIES.map((query) => [query, new Map([['good', 1]])]));

/** A run in which the good document has the given rank for each query; 0: it is not there. */
function evaluation(ranks: readonly number[], measures = ['recip_rank', 'num_ret', 'success.1', 'gm_map']) {
  const queries = new Map(
    QUERIES.map((query, i) => {
      const documents = ['a', 'b', 'c', 'd'].map((name, place) => (place === ranks[i]! - 1 ? 'good' : name));
      return [query, { documents, scores: Float64Array.of(4, 3, 2, 1) }];
    }),
  );
  return evaluateRun(qrels, { tag: 'run', queries }, { measures });
}

const baseline = evaluation([1, 2, 4, 2, 0]);
const better = evaluation([1, 1, 2, 1, 4]);
const mixed = evaluation([2, 1, 4, 0, 1]);

test('compares every mean of queries, run by run, with the parts it is made of', () => {
  const comparisons = compareRuns(baseline, [better, mixed]);
  expect(comparisons.map(({ measure, run }) => [measure, run])).toEqual([
    ['recip_rank', 0],
    ['recip_rank', 1],
    ['success_1', 0],
    ['success_1', 1],
  ]);
  const [first, second] = comparisons;
  const before = [1, 1 / 2, 1 / 4, 1 / 2, 0];
  const after = [1, 1, 1 / 2, 1, 1 / 4];
  const third = [1 / 2, 1, 1 / 4, 0, 1];
  expect(first).toMatchObject({ baseline: 2.25 / 5, other: 3.75 / 5, wins: 4, ties: 1, losses: 0 });
  expect([...first!.differences]).toEqual([0, 1 / 2, 1 / 4, 1 / 2, 1 / 4]);
  expect(first!.difference).toEqual(pairedBootstrapInterval(before, after));
  expect(first!.test).toEqual(randomisationTest(before, after));
  expect(first!.test.pValue).toBe(2 / 16);
  expect(second).toMatchObject({ wins: 2, ties: 1, losses: 2 });
  expect(second!.test).toEqual(randomisationTest(before, third));
  expect(second!.difference).toEqual(pairedBootstrapInterval(before, third));
});

test('corrects over the runs of a measure, not over measures', () => {
  const comparisons = compareRuns(baseline, [better, mixed, better]);
  for (const measure of ['recip_rank', 'success_1']) {
    const ofMeasure = comparisons.filter((comparison) => comparison.measure === measure);
    const corrected = holmCorrection(ofMeasure.map(({ test: { pValue } }) => pValue));
    expect(ofMeasure.map(({ correctedPValue }) => correctedPValue)).toEqual([...corrected]);
  }
  expect(comparisons[0]!.correctedPValue).toBe(3 / 8);
  const [alone] = compareRuns(baseline, [better]);
  expect(alone!.correctedPValue).toBe(alone!.test.pValue);
});

test('hands its options on, and takes the measures that are asked for', () => {
  const options = { measures: ['success_1'], confidence: 0.5, resamples: 99, seed: 7 };
  const [comparison, ...others] = compareRuns(baseline, [better], options);
  expect(others).toEqual([]);
  const { measures: _, ...bootstrap } = options;
  const before = [1, 0, 0, 0, 0];
  const after = [1, 1, 0, 1, 0];
  expect(comparison!.difference).toEqual(pairedBootstrapInterval(before, after, bootstrap));
});

test('the largest differences, greatest first, without ties', () => {
  const [comparison] = compareRuns(baseline, [mixed], { measures: ['recip_rank'] });
  expect(largestDifferences(comparison!, 3)).toEqual([
    { query: 'q5', difference: 1 },
    { query: 'q1', difference: -1 / 2 },
    { query: 'q2', difference: 1 / 2 },
  ]);
  expect(largestDifferences(comparison!, 100)).toHaveLength(4);
});

test('refuses other queries, counts, and measures that a run lacks', () => {
  const fewer = evaluateRun(new Map([...qrels].slice(1)), runOf(QUERIES.slice(1)), {
    measures: ['recip_rank'],
  });
  expect(() => compareRuns(baseline, [better, fewer], { measures: ['recip_rank'] })).toThrow(
    /compared run 2 lacks 1 .* has 0 others/,
  );
  expect(() => compareRuns(fewer, [baseline])).toThrow(/compared run 1 lacks 0 .* has 1 others/);
  expect(() => compareRuns(baseline, [better], { measures: ['num_ret'] })).toThrow(/num_ret/);
  expect(() => compareRuns(baseline, [better], { measures: ['gm_map'] })).toThrow(/gm_map/);
  expect(() => compareRuns(baseline, [evaluation([1, 1, 1, 1, 1], ['map'])])).toThrow(/recip_rank/);
  expect(() => compareRuns(baseline, [better], { tests: 't' } as object)).toThrow(/no option tests/);
});

function runOf(queries: readonly string[]) {
  const list = { documents: ['good'], scores: Float64Array.of(1) };
  return { tag: 'fewer', queries: new Map(queries.map((query) => [query, list])) };
}
