import { expect, test } from 'vitest';
import { type AblationAnswer, ablationTable } from '../../../../src/demo/ablation/ablation-table.js';
import { renderAblation } from '../../../../src/demo/ablation/render-ablation.js';
import { NEVER_TRAINED } from '../../../../src/demo/learning/never-trained.js';
import type { AnswerScores } from '../../../../src/demo/score-answer.js';

const [UNSEEN] = NEVER_TRAINED;

const scores = (entityP1: number, f1 = 0): AnswerScores => ({
  ...{ entityP1, entityMrr100: 0.5, passageMrr: 0.25, passageP1: 0, passageP20: 0.125, exactMatch: 1, f1 },
});
/** @param seeds - per seed the F1 of every stage */
const answer = (
  cca2: string,
  severalFlags: boolean,
  entityP1: number,
  seeds: readonly number[],
): AblationAnswer => ({
  ...{ cca2, severalFlags },
  scores: {
    untrained: scores(entityP1),
    trained: seeds.map((f1) => Array.from({ length: 6 }, (_, stage) => scores(stage === 0 ? 1 : 0, f1))),
  },
});
const ANSWERS = [
  answer('FR', false, 1, [0.2, 0.4, 0.9]),
  answer(UNSEEN!, false, 0, [0.4, 0.4, 0.9]),
  answer('FR', true, 0.25, [0.6, 0.4, 0]),
  answer(UNSEEN!, true, 0.25, [0.4, 0.4, 0.6]),
];

test('means are over the questions that a column is of, then over seeds', () => {
  const { rows, ...counts } = ablationTable(ANSWERS, [1, 2, 3]);
  expect(counts).toEqual({ seeds: [1, 2, 3], oneFlag: 2, severalFlags: 2, neverTrained: 1 });
  expect(rows.map(({ name }) => name)).toEqual([
    ...[
      'untrained',
      'entity tower',
      'query tower',
      'joint (eq. 6)',
      'patch-level',
      'score alignment',
      'GRPO',
    ],
  ]);
  expect(rows[0]).toMatchObject({
    oneFlagP1: { mean: 0.5 },
    severalFlagsP1: { mean: 0.25 },
    neverTrainedP1: { mean: 0 },
    entityMrr100: { mean: 0.5 },
    f1: { mean: 0 },
  });
  expect(rows[0]!.f1).not.toHaveProperty('spread');
  expect(rows[1]!.neverTrainedP1).toEqual({ mean: 1, spread: 0 });
  // Seeds have 0.4, 0.4 and 0.6: their mean is 1.4 / 3, their sample variance 0.08 / 6.
  expect(rows[6]!.f1!.mean).toBeCloseTo(1.4 / 3, 12);
  expect(rows[6]!.f1!.spread).toBeCloseTo(Math.sqrt(0.08 / 6), 12);
});

test('no question of a kind leaves its columns empty', () => {
  const { rows } = ablationTable([ANSWERS[0]!], [1, 2, 3]);
  expect(rows[3]!.severalFlagsP1).toBeNull();
  expect(renderAblation(ablationTable([ANSWERS[0]!], [1, 2, 3])).split('\n')[2]).toMatch(
    /^untrained +1\.00 +- /,
  );
});

test('the table keeps within 120 columns, and says the spread in thousandths', () => {
  const lines = renderAblation(ablationTable(ANSWERS, [1, 2, 3])).split('\n');
  expect(lines).toHaveLength(9);
  expect(Math.max(...lines.map(({ length }) => length))).toBeLessThanOrEqual(120);
  expect(lines[0]).toMatch(/^2 \+ 2 questions +one flag +several +never trained +entity +passage/);
  expect(lines[2]).toMatch(/^untrained +\.500 +\.250 +\.000 +\.500 +\.250 +\.000 +\.125 +1\.00 +\.000$/);
  expect(lines[8]).toMatch(/^\+ GRPO +\.000±00 .* 1\.00±00 +\.467±115$/);
});
