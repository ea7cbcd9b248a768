import { describe, expect, it } from 'vitest';
import { resultText } from '../../../src/cli/train-report.js';
import type { TrainedCorpusRetriever } from '../../../src/training/index.js';

/** A run of `steps` steps that kept what it was after step `best`, where it measured `value`. */
function trained(steps: number, best: number, value: number, more: object = {}): TrainedCorpusRetriever {
  return {
    before: { step: 0, measures: { recip_rank: 0.25 } },
    after: { step: best, measures: { recip_rank: value } },
    history: { steps: Array.from({ length: steps }), evaluations: [] },
    end: 'steps',
    queries: { train: 12, dev: 5 },
    withoutAnswer: [],
    ...more,
  } as unknown as TrainedCorpusRetriever;
}

const HINT = 'the last measurement was the best: more --epochs or a higher --rate may do better';

describe('what granule train prints', () => {
  it('is how much was trained, the measures before and after, and the file', () => {
    expect(resultText('a.safetensors', trained(20, 10, 0.5)).split('\n')).toEqual([
      '12 queries trained on, 5 measured, 20 steps',
      'recip_rank       0.2500 -> 0.5000',
      'written to a.safetensors',
    ]);
    const lines = [{ file: 'train.jsonl', line: 3 }];
    const one = { queries: { train: 1, dev: 0 }, withoutAnswer: lines, before: undefined, after: undefined };
    expect(resultText('a', trained(1, 1, 1, one)).split('\n')).toEqual([
      '1 query trained on, 0 measured, 1 step',
      '1 line left out: no answer stands in the best passages',
      'written to a',
    ]);
  });

  it('says what is still to be done where documents have a tower', () => {
    const hint = 'granule reencode --adapter encodes the knowledge base anew';
    expect(resultText('a', trained(20, 10, 0.5, { document: {} }))).toContain(hint);
    expect(resultText('a', trained(20, 10, 0.5))).not.toContain(hint);
  });

  it('says that training ended while it was still getting better', () => {
    expect(resultText('a', trained(20, 20, 0.5)).split('\n')).toContain(HINT);
    const [early, perfect, useless] = [trained(20, 10, 0.5), trained(20, 20, 1), trained(20, 0, 0.25)];
    for (const other of [early, perfect, useless]) expect(resultText('a', other)).not.toContain(HINT);
    expect(resultText('a', useless)).toContain('no step made it better');
    const patience = trained(20, 20, 0.5, { end: 'patience' });
    expect(resultText('a', patience)).not.toContain(HINT);
    expect(resultText('a', patience)).toContain('20 steps (the measure did not get better any more)');
  });
});
