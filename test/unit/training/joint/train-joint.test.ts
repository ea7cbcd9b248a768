import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { answerScores } from '../../../../src/evaluation/answer-metrics.js';
import { SeededRandom } from '../../../../src/ranking/seeded-random.js';
import { shuffled } from '../../../../src/ranking/shuffled.js';
import type { JointPart } from '../../../../src/training/joint/joint-knowledge.js';
import type { JointModel } from '../../../../src/training/joint/joint-model.js';
import { type TrainJointOptions, trainJoint } from '../../../../src/training/joint/train-joint.js';
import { AdamW } from '../../../../src/training/towers/adamw.js';
import { temporaryFolder } from '../../corpus/temporary-folder.js';
import { sameBits } from '../towers/same-bits.js';
import { examples, jointModel, TEXT_NUMBERS } from './joint-world.js';

const PARTS: readonly JointPart[] = ['entity', 'query', 'reader'];
const TRAINING = examples(2, 'training');
const DEV = examples(3, 'dev');
const OPTIONS: TrainJointOptions = {
  epochs: 40,
  batchSize: 8,
  learningRates: { entity: 0.03, query: 0.03, reader: 0.003 },
};

/** Share of the questions about pictures that were not trained on that are answered right. */
async function accuracy(model: JointModel): Promise<number> {
  const answers = await model.answer(DEV);
  const right = answers.map(({ answer }, n) => answerScores(answer, DEV[n]!.answers).exactMatch);
  return right.reduce((sum, one) => sum + one, 0) / DEV.length;
}

async function trained(parts: readonly JointPart[], options: TrainJointOptions = {}) {
  const model = await jointModel({ model: { entityTemperature: 0.3, passageTemperature: 0.3 } });
  const steps = await trainJoint(model, TRAINING, { ...OPTIONS, trained: parts, ...options });
  return { model, steps, values: PARTS.map((part) => valuesOf(model, part)) };
}

const valuesOf = (model: JointModel, part: JointPart) =>
  [...model.parts[part].parameters.values()].map(({ values }) => values);

describe('joint training', () => {
  it('finds answers that no tower alone leads to', async () => {
    const share = async (parts: readonly JointPart[]) => accuracy((await trained(parts)).model);
    // Exact: a seed gives the same weights. Alone, a query tower learns which wrong titles go with which pictures.
    expect(await share(['entity', 'reader'])).toBeLessThan(0.3);
    expect(await share(['query', 'reader'])).toBeLessThan(0.5);
    expect(await share(PARTS)).toBeGreaterThan(0.8);
  });

  it('takes the steps that are written down', async () => {
    const options = { epochs: 3, batchSize: 10, seed: 6, warmup: 0.2, weightDecay: 0.4, clip: 0.05 };
    const rates = { entity: 0.03, query: 0.02 };
    const [fast, slow] = [await jointModel(), await jointModel()];
    const steps = await trainJoint(fast, TRAINING, { ...options, learningRates: rates });
    // 24 examples: three steps per epoch, the last of which has four.
    expect(steps.map(({ step, epoch }) => [step, epoch])).toEqual(
      [1, 2, 3, 4, 5, 6, 7, 8, 9].map((step) => [step, Math.ceil(step / 3)]),
    );
    const optimisers = PARTS.map((part) => new AdamW(slow.parameters([part]), { weightDecay: 0.4 }));
    for (const [i, { loss, gradientNorms }] of steps.entries()) {
      const order = shuffled(TRAINING, new SeededRandom(`6/epoch ${1 + Math.floor(i / 3)}`));
      for (const part of PARTS) slow.parts[part].zeroGradients();
      const expected = await slow.learn(order.slice((i % 3) * 10, (i % 3) * 10 + 10));
      expect(loss).toBe(expected.loss);
      // One step of the nine rises to the rate, the others fall.
      const share = i === 0 ? 1 / 2 : 1 - (i - 1) / 8;
      for (const [p, part] of PARTS.entries()) {
        const learningRate = { ...rates, reader: 1e-3 }[part] * share;
        const { gradientNorm } = await optimisers[p]!.step({ learningRate, clip: 0.05 });
        expect(gradientNorms[part]).toBe(gradientNorm);
      }
    }
    for (const part of PARTS) expect(sameBits(valuesOf(fast, part), valuesOf(slow, part))).toBe(true);
  });

  it('is the same bits for a seed, whatever the number of threads, and others for another', async () => {
    const run = async (seed: number, threads: number) =>
      (await trained(PARTS, { epochs: 2, seed, threads })).values.flat();
    const first = await run(1, 1);
    expect(sameBits(await run(1, 3), first)).toBe(true);
    expect(sameBits(await run(2, 1), first)).toBe(false);
  });

  it('leaves the parts that are frozen as they are, to the bit, and changes the others', async () => {
    const before = await jointModel();
    for (const parts of [['entity'], ['query'], ['reader'], ['entity', 'reader'], []] as const) {
      const { values, steps } = await trained(parts, { epochs: 1 });
      for (const [i, part] of PARTS.entries()) {
        const frozen = !(parts as readonly string[]).includes(part);
        expect(sameBits(values[i]!, valuesOf(before, part))).toBe(frozen);
      }
      expect(Object.keys(steps[0]!.gradientNorms)).toEqual(parts);
    }
  });

  it('goes on from a checkpoint to the same bits, and from that of no other run', async () => {
    const file = join(temporaryFolder(), 'joint.checkpoint');
    const options: TrainJointOptions = { ...OPTIONS, epochs: 4, warmup: 0.2, decay: 'cosine' };
    const whole = await trained(PARTS, options);
    const checkpoint = { file, everySteps: 2 };
    const abort = new AbortController();
    const onStep = ({ step }: { step: number }) => step === 7 && abort.abort();
    const stopped = trained(PARTS, { ...options, checkpoint, onStep, signal: abort.signal });
    await expect(stopped).rejects.toMatchObject({ code: 'ABORTED' });
    const told: number[] = [];
    const resumed = await trained(PARTS, { ...options, checkpoint, onStep: ({ step }) => told.push(step) });
    expect(resumed.steps).toEqual(whole.steps);
    expect(sameBits(resumed.values.flat(), whole.values.flat())).toBe(true);
    expect(told).toEqual(whole.steps.map(({ step }) => step));
    await expect(trained(PARTS, { ...options, checkpoint, seed: 1 })).rejects.toMatchObject({
      code: 'CHECKPOINT_MISMATCH',
      details: { differences: ['seed was 0 and is 1'] },
    });
    // The model has to be as it was at the beginning.
    await expect(trainJoint(resumed.model, TRAINING, { ...options, checkpoint })).rejects.toMatchObject({
      code: 'CHECKPOINT_MISMATCH',
      message: expect.stringContaining('the parameters at the beginning'),
    });
  });

  it('stops where it diverges, and says what is left', async () => {
    const file = join(temporaryFolder(), 'joint.checkpoint');
    const model = await jointModel({
      query: { kind: 'linear', input: TEXT_NUMBERS, output: TEXT_NUMBERS, normalise: false },
    });
    const wild = { ...OPTIONS, learningRates: { query: 1e38 }, clip: 1e9, warmup: 0.5 };
    await expect(
      trainJoint(model, TRAINING, { ...wild, checkpoint: { file, everySteps: 1 } }),
    ).rejects.toMatchObject({
      code: 'TRAINING_DIVERGED',
      message: expect.stringMatching(/stopped at step \d+: .* holds the state after step \d+/),
      details: { checkpoint: file },
    });
    // Parameters beyond float32 are found before a checkpoint is made of them.
    await expect(
      trainJoint(await jointModel(), TRAINING, {
        ...OPTIONS,
        learningRates: { query: 1e39 },
        checkpoint: { file: join(temporaryFolder(), 'other.checkpoint'), everySteps: 1 },
      }),
    ).rejects.toMatchObject({
      code: 'TRAINING_DIVERGED',
      message: expect.stringMatching(/step 1: query.weight holds -?Infinity; there is no checkpoint/),
    });
    const blind = { ...TRAINING[0]!, picture: TRAINING[0]!.picture.map(() => Number.NaN) };
    await expect(trainJoint(model, [blind])).rejects.toMatchObject({ code: 'NOT_FINITE' });
  });

  it('stops at the same step where the loss explodes, also where it goes on from a checkpoint', async () => {
    // Half of the examples contradict the other half, so that a reader of vast scores is always wrong.
    const torn = [...TRAINING, ...TRAINING.map((example) => ({ ...example, answers: ['Atlantis'] }))];
    const file = join(temporaryFolder(), 'exploded.checkpoint');
    const explode = async () =>
      trainJoint(await jointModel(), torn, {
        epochs: 20,
        learningRates: { reader: 1000 },
        clip: 1e9,
        decay: 'constant',
        checkpoint: { file, everySteps: 5 },
      });
    const { message, details } = await explode().catch((reason) => reason);
    expect(message).toMatch(/the loss is [\d.e+]+, it has exploded/);
    expect(details.checkpointStep).toBeGreaterThanOrEqual(details.step - 5);
    await expect(explode()).rejects.toMatchObject({ message });
  });

  it('tells of each step, and stops where that throws or a signal says so', async () => {
    const model = await jointModel();
    const seen: number[] = [];
    const stopped = trainJoint(model, TRAINING, {
      ...OPTIONS,
      onStep: ({ step, epoch, loss, jointLoss, readerLoss }) => {
        seen.push(step);
        expect(epoch).toBe(1 + Math.floor((step - 1) / 3));
        expect(loss).toBe((jointLoss ?? 0) + readerLoss);
        if (step === 4) throw new Error('enough');
      },
    });
    await expect(stopped).rejects.toThrow('enough');
    expect(seen).toEqual([1, 2, 3, 4]);
    for (const [options, code] of [
      [{ signal: AbortSignal.abort() }, 'ABORTED'],
      [{ epochs: 0 }, 'INVALID_ARGUMENT'],
      [{ batchSize: 1.5 }, 'INVALID_ARGUMENT'],
      [{ learningRates: { entities: 1 } }, 'INVALID_ARGUMENT'],
      [{ learningRate: 1 }, 'INVALID_ARGUMENT'],
      [{ warmup: 1 }, 'INVALID_ARGUMENT'],
      [{ decay: 'slow' }, 'INVALID_ARGUMENT'],
      [{ checkpoint: { file: '' } }, 'INVALID_ARGUMENT'],
    ] as const) {
      await expect(trainJoint(model, TRAINING, options as never)).rejects.toMatchObject({ code });
    }
    await expect(trainJoint(model, [])).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  });
});
