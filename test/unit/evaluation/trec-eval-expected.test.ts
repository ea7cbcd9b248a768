import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type EvaluateOptions, evaluateRun } from '../../../src/evaluation/evaluate-run.js';
import { readTrecQrels } from '../../../src/evaluation/files/trec-qrels.js';
import { readTrecRun } from '../../../src/evaluation/files/trec-run.js';
import { trecEvalText } from '../../../src/evaluation/trec-eval-text.js';

/* What trec_eval itself printed for its own test files; they lie in ../shared/data, which a clone of the repository has not. */
const data = resolve('../shared/data/trec_eval');
const present = existsSync(data);

describe.skipIf(!present)(
  `what trec_eval prints for its own files${present ? '' : ' (skipped: ../shared/data is absent)'}`,
  () => {
    it.each<[string, string, string, string, EvaluateOptions, boolean]>([
      ['by default', 'out.test', 'qrels.test', 'results.test', {}, false],
      [
        'per query, all measures',
        'out.test.aq',
        'qrels.test',
        'results.test',
        { measures: ['all_trec'] },
        true,
      ],
      [
        'with every judged query, from a run with shuffled lines and junk at their ends',
        'out.test.aqc',
        'qrels.test',
        'results.trunc',
        { measures: ['all_trec'], complete: true },
        true,
      ],
      [
        'with graded judgements and relevance level 2',
        'out.test.aql',
        'qrels.rel_level',
        'results.test',
        { measures: ['all_trec', 'relstring.20'], relevanceLevel: 2 },
        true,
      ],
    ])('is printed to the last digit: %s', async (_, expected, qrels, run, options, perQuery) => {
      const evaluation = evaluateRun(
        await readTrecQrels(`${data}/${qrels}`),
        await readTrecRun(`${data}/${run}`),
        options,
      );
      expect(trecEvalText(evaluation, { perQuery }).split('\n')).toEqual(
        readFileSync(`${data}/${expected}`, 'utf8').split('\n'),
      );
    });
  },
);
