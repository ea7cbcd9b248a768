import { expect, test } from 'vitest';
import { evaluateRun } from '../../../src/evaluation/evaluate-run.js';
import { fourDecimals, trecEvalText } from '../../../src/evaluation/trec-eval-text.js';

test.each([
  [0.03125, '0.0312'],
  [0.09375, '0.0938'],
  [0.15625, '0.1562'],
  [-0.03125, '-0.0312'],
  [-412.65625, '-412.6562'],
  [0.99995, '1.0000'],
  [1 / 3, '0.3333'],
  [2 / 3, '0.6667'],
  [0.5, '0.5000'],
  [0, '0.0000'],
  [100, '100.0000'],
])('%d is printed as C prints it: %s', (value, expected) => {
  expect(fourDecimals(value)).toBe(expected);
});

test('lines hold the name, the query and the value, padded as by trec_eval; counts have no decimals', () => {
  const evaluation = evaluateRun(
    new Map([['7', new Map([['a', 1]])]]),
    { tag: 'mine', queries: new Map([['7', { documents: ['b', 'a'], scores: Float64Array.of(2, 1) }]]) },
    { measures: ['runid', 'num_q', 'num_ret', 'map', 'gm_map', 'relstring', 'utility'] },
  );
  expect(trecEvalText(evaluation, { perQuery: true })).toBe(
    [
      'num_ret               \t7\t2',
      'map                   \t7\t0.5000',
      "relstring             \t7\t'-1'",
      'utility               \t7\t0.0000',
      'runid                 \tall\tmine',
      'num_q                 \tall\t1',
      'num_ret               \tall\t2',
      'map                   \tall\t0.5000',
      'gm_map                \tall\t0.5000',
      'utility               \tall\t0.0000',
      '',
    ].join('\n'),
  );
  expect(trecEvalText(evaluation)).not.toContain('\t7\t');
});

test('relevance strings show grades, and why a document has none', () => {
  const documents = ['a', 'b', 'c', 'd', 'e', 'f'];
  const { results } = evaluateRun(
    new Map([
      [
        'q',
        new Map([
          ['a', 9],
          ['b', 10],
          ['c', -1],
          ['d', -2],
          ['e', -3],
        ]),
      ],
    ]),
    { tag: 't', queries: new Map([['q', { documents, scores: Float64Array.of(6, 5, 4, 3, 2, 1) }]]) },
    { measures: ['relstring'] },
  );
  expect(results[0]!.perQuery).toEqual(["'9>.-<-'"]);
});
