import { expect, it } from 'vitest';
import type { DemoEvaluation } from '../../../src/demo/evaluate-demo.js';
import { mergeEvaluations } from '../../../src/demo/merge-evaluations.js';

const evaluation = (questions: number, score: number, ms: number): DemoEvaluation => ({
  questions,
  systems: ['a', 'b'].map((name, i) => ({
    name,
    entityP1: score,
    entityMrr100: score / 2,
    passageP1: score + i,
    passageP20: 0.25,
    exactMatch: i,
    f1: score / 4,
  })),
  timings: { answerMs: ms, totalMs: 7 },
});

it('merges evaluations into the one over all their questions', () => {
  expect(mergeEvaluations([evaluation(1, 1, 10), evaluation(3, 0, 20)], 1234)).toEqual({
    questions: 4,
    systems: [
      {
        name: 'a',
        entityP1: 0.25,
        entityMrr100: 0.125,
        passageP1: 0.25,
        passageP20: 0.25,
        exactMatch: 0,
        f1: 0.0625,
      },
      {
        name: 'b',
        entityP1: 0.25,
        entityMrr100: 0.125,
        passageP1: 1.25,
        passageP20: 0.25,
        exactMatch: 1,
        f1: 0.0625,
      },
    ],
    timings: { answerMs: 17.5, totalMs: 1234 },
  });
});
