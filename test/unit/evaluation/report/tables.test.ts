import { expect, test } from 'vitest';
import { comparisonTable, differenceTable } from '../../../../src/evaluation/report/comparison-table.js';
import { evaluationTable } from '../../../../src/evaluation/report/evaluation-table.js';
import { csvTable } from '../../../../src/evaluation/report/table-formats.js';
import { compareRuns } from '../../../../src/evaluation/significance/compare-runs.js';
import { runWithRanks } from './runs-with-ranks.js';

const measures = ['num_q', 'recip_rank', 'success.1'];
const one = runWithRanks('one', [1, 2, 0], measures);
const other = runWithRanks('other', [2, 1, 4], measures);

test('runs side by side', () => {
  expect(csvTable(evaluationTable([one, other])).split('\n')).toEqual([
    'measure,one,other',
    'num_q,3,3',
    `recip_rank,0.5,${1.75 / 3}`,
    `success_1,${1 / 3},${1 / 3}`,
  ]);
  const withQueries = csvTable(evaluationTable([one, other], { perQuery: true })).split('\n');
  expect(withQueries).toContain('recip_rank,q3,0,0.25');
  expect(withQueries).toHaveLength(1 + 3 * 2 + 3);
  expect(csvTable(evaluationTable([one], { queryColumn: true }))).toContain('\nnum_q,all,3\n');
  expect(evaluationTable([]).rows).toEqual([]);
});

test('a comparison has the numbers of its test, each under its heading', () => {
  const comparisons = compareRuns(one.evaluation, [other.evaluation, one.evaluation], {
    measures: ['recip_rank'],
  });
  const [head, first, second] = csvTable(comparisonTable(comparisons, ['other', 'same']))
    .split('\n')
    .map((line) => line.split(','));
  const { difference, test: result, correctedPValue } = comparisons[0]!;
  expect(Object.fromEntries(head!.map((name, i) => [name, first![i]]))).toEqual({
    measure: 'recip_rank',
    run: 'other',
    baseline: '0.5',
    mean: String(1.75 / 3),
    difference: String(difference.mean),
    low: String(difference.low),
    high: String(difference.high),
    p: String(result.pValue),
    'corrected p': String(correctedPValue),
    wins: '2',
    ties: '0',
    losses: '1',
  });
  expect(second!.slice(0, 2)).toEqual(['recip_rank', 'same']);
  expect(second!.slice(-3)).toEqual(['0', '3', '0']);
});

test('differences of queries', () => {
  expect(csvTable(differenceTable([{ query: 'q7', difference: -0.25 }]))).toBe('query,difference\nq7,-0.25');
});
