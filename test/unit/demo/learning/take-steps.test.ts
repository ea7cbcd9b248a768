import { describe, expect, it } from 'vitest';
import { takeSteps } from '../../../../src/demo/learning/take-steps.js';
import { contrastItems } from '../../../../src/demo/learning/train-entity-towers.js';
import type { PictureViews } from '../../../../src/demo/learning/view-samples.js';
import { Tower } from '../../../../src/training/towers/tower.js';

const OPTIONS = { seed: 1, epochs: 2, learningRate: 1e-2, weightDecay: 0 };
const examples = (count: number) => Array.from({ length: count }, (_, i) => i);

describe('steps of a stage', () => {
  it('are over whole batches, each example at most once an epoch', async () => {
    const tower = await Tower.create({ kind: 'linear', input: 2, output: 2 });
    const batches: (readonly number[])[] = [];
    const told: number[] = [];
    const options = {
      ...OPTIONS,
      onStep: ({ step, steps }: { step: number; steps: number }) => told.push(step, steps),
    };
    await takeSteps('this', { tower }, examples(70), options, async (batch) => {
      batches.push(batch);
      return 1;
    });
    expect(batches.map(({ length }) => length)).toEqual([32, 32, 32, 32]);
    expect(told).toEqual([1, 4, 2, 4, 3, 4, 4, 4]);
    for (const epoch of [batches.slice(0, 2), batches.slice(2)]) {
      expect(new Set(epoch.flat()).size).toBe(64);
    }
    expect(batches[2]).not.toEqual(batches[0]);
  });

  it.each([
    ['a loss', async () => Number.NaN],
    [
      'a gradient',
      async (tower: Tower) => {
        tower.parameters.get('bias')!.gradient[0] = Number.POSITIVE_INFINITY;
        return 1;
      },
    ],
  ] as const)('stop with the name of the stage where %s is not finite', async (_, learn) => {
    const tower = await Tower.create({ kind: 'linear', input: 2, output: 2 });
    await expect(
      takeSteps('this', { tower }, examples(32), OPTIONS, () => learn(tower)),
    ).rejects.toMatchObject({
      code: 'TRAINING_DIVERGED',
      message: expect.stringMatching(/^training of this stopped at step 1: /),
    });
  });

  it('are not taken on fewer examples than one needs', async () => {
    const tower = await Tower.create({ kind: 'linear', input: 2, output: 2 });
    await expect(takeSteps('this', { tower }, examples(31), OPTIONS, async () => 1)).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: expect.stringContaining('there are 31'),
    });
  });
});

it('a picture of a flag without a title to be trained on is refused by its code', () => {
  const picture = { flags: ['FR', 'XX'], flagOf: Int8Array.of(0, 1, -1) } as unknown as PictureViews;
  const codes = ['DE', 'FR'];
  expect(
    contrastItems(
      [
        { picture, flag: 0 },
        { picture, flag: 0 },
      ],
      codes,
    ),
  ).toEqual([
    { first: 0, count: 3, title: 1 },
    { first: 3, count: 3, title: 1 },
  ]);
  expect(() => contrastItems([{ picture, flag: 1 }], codes)).toThrow(
    expect.objectContaining({ code: 'INVALID_ARGUMENT', message: expect.stringContaining('XX') }),
  );
});
