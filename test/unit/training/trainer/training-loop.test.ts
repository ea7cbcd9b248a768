import { describe, expect, it } from 'vitest';
import { type TrainOptions, trainPlan } from '../../../../src/training/trainer/train-options.js';
import { trainRetriever } from '../../../../src/training/trainer/train-retriever.js';
import type { RetrieverData } from '../../../../src/training/trainer/training-data.js';
import { rotatedWorld } from './rotated-world.js';
import { slowTraining } from './slow-training.js';

const world = rotatedWorld();

/** Each query has two positives, one of them better, and a negative. */
const judged: RetrieverData = {
  ...world,
  train: {
    ...world.train,
    positives: Array.from({ length: 120 }, (_, i) => [i, 120 + (i % 40)]),
    negatives: Array.from({ length: 120 }, (_, i) => [(i + 7) % 120]),
    grades: Array.from({ length: 120 }, (_, i) => new Map([[i, 2]])),
  },
};

const OPTIONS: TrainOptions = {
  queryTower: { kind: 'mlp', input: 16, hidden: 24, output: 16, residual: true },
  documentTower: { kind: 'linear', input: 16, output: 16 },
  // Four steps per epoch, the last of which has fewer queries; the run ends within an epoch.
  batchSize: 34,
  steps: 14,
  // Documents are mapped anew for hard negatives at steps 0 and 8, and to measure at 0, 12 and 14.
  mineEvery: 2,
  evaluateEvery: 3,
  hardNegatives: 3,
  learningRate: 0.02,
  weightDecay: 0.3,
  clip: 0.5,
  patience: 100,
  seed: 'loop',
  measures: ['recip_rank'],
};

describe('the loop of training', () => {
  it.each([
    ['in-batch-contrast', 0.05],
    ['list-net', 0.2],
  ] as const)('takes the steps that are written down, by %s from t = %d', async (loss, temperature) => {
    const options = { ...OPTIONS, loss, temperature };
    const expected = await slowTraining(judged, trainPlan(options, judged));
    const { history, query, document, ...found } = await trainRetriever(judged, options);
    expect(history.steps).toEqual(expected.steps);
    expect(history.steps.some(({ gradientNorm }) => gradientNorm > 0.5)).toBe(true);
    expect(history.evaluations.map(({ step }) => step)).toEqual([0, 12, 14]);
    let best = expected.evaluations[0]!;
    for (const [i, evaluation] of expected.evaluations.entries()) {
      const { step, measures, best: isBest } = history.evaluations[i]!;
      expect(step).toBe(evaluation.step);
      expect(measures['recip_rank']).toBeCloseTo(evaluation.reciprocalRank, 12);
      expect(isBest).toBe(i === 0 || evaluation.reciprocalRank > best.reciprocalRank);
      if (isBest) best = evaluation;
    }
    expect(found.after!.step).toBe(best.step);
    const kept = (name: string) => best.values.get(name)!;
    for (const [side, tower] of Object.entries({ query, document: document! })) {
      for (const [name, { values }] of tower.parameters) expect(values).toEqual(kept(`${side}.${name}`));
    }
    expect(found.temperature).toBe(Math.exp(kept('log_temperature')[0]!));
  });
});
