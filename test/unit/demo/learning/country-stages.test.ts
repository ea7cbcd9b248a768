import { expect, test } from 'vitest';
import { type CountryStep, trainCountries } from '../../../../src/demo/learning/country-stages.js';
import { Tower } from '../../../../src/training/towers/tower.js';

const trainer = (fails?: number | string) => ({
  module: new URL('./stand-in-trainer.mjs', import.meta.url).href,
  export: 'StandInTrainer',
  options: { fails },
});
const NO_PICTURES = { oneFlag: 0, severalFlags: 0 };

test('each seed takes all stages in their order, on top of each other', async () => {
  const steps: CountryStep[] = [];
  const trained = await trainCountries({
    seeds: [5, 2],
    pictures: NO_PICTURES,
    trainer: trainer(),
    onStep: (step) => steps.push(step),
  });
  expect(trained.map(({ seed }) => seed)).toEqual([5, 2]);
  for (const { seed, stages, data, instructionSet } of trained) {
    expect({ data, instructionSet }).toEqual({ data: 'ab', instructionSet: 'avx2' });
    for (const [i, { query }] of stages.entries()) {
      const begun = await Tower.create(
        { kind: 'low-rank', dimension: 4, rank: 1 },
        { seed: `${seed} ${i + 1}` },
      );
      expect(query!.parameters.get('down')!.values).toEqual(begun.parameters.get('down')!.values);
    }
    expect(stages).toHaveLength(6);
    expect(steps.filter((step) => step.seed === seed)).toEqual(
      [1, 2, 3, 4, 5, 6].flatMap((stage) => [
        { type: 'step', seed, stage, step: 1, steps: 2, loss: seed },
        { type: 'step', seed, stage, step: 2, steps: 2, loss: stage / 10 },
      ]),
    );
  }
});

test('a stage that fails ends the training with its error', async () => {
  const training = trainCountries({ seeds: [1, 2], pictures: NO_PICTURES, trainer: trainer(3) });
  await expect(training).rejects.toThrow('stage 3 fails');
});

test('an abort ends the training while a stage runs', async () => {
  const controller = new AbortController();
  const training = trainCountries({
    seeds: [1],
    pictures: NO_PICTURES,
    trainer: trainer('never ends'),
    signal: controller.signal,
    onProgress: () => controller.abort(),
  });
  await expect(training).rejects.toMatchObject({ code: 'ABORTED' });
});
