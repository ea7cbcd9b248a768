import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TrainOptions } from '../../../../src/training/trainer/train-options.js';
import type { TrainedRetriever } from '../../../../src/training/trainer/train-retriever.js';
import { trainRetriever } from '../../../../src/training/trainer/train-retriever.js';
import type { TrainingEvent } from '../../../../src/training/trainer/training-history.js';
import { sameBits } from '../towers/same-bits.js';
import { rotatedWorld } from './rotated-world.js';

const folder = mkdtempSync(join(tmpdir(), 'granule-test-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const world = rotatedWorld();
const OPTIONS: TrainOptions = {
  queryTower: { kind: 'linear', input: 16, output: 16 },
  documentTower: { kind: 'low-rank', dimension: 16, rank: 3 },
  batchSize: 32,
  epochs: 5,
  mineEvery: 2,
  patience: 10,
  learningRate: 0.03,
};

const weightsOf = ({ query, document }: TrainedRetriever): Float32Array[] =>
  [query, document].flatMap((tower) => [...(tower?.parameters.values() ?? [])].map(({ values }) => values));

/** Runs until a step, and is aborted there. */
async function upTo(step: number, options: TrainOptions, data = world): Promise<void> {
  const abort = new AbortController();
  const onEvent = (event: TrainingEvent) => {
    if (event.type === 'step' && event.step === step) abort.abort();
  };
  await expect(trainRetriever(data, { ...options, onEvent, signal: abort.signal })).rejects.toMatchObject({
    code: 'ABORTED',
  });
}

describe('a run that was interrupted', () => {
  let whole: TrainedRetriever;
  beforeAll(async () => {
    whole = await trainRetriever(world, OPTIONS);
  });

  it.each([
    [0, 6, 4],
    [3, 5, 3],
    [3, 8, 6],
    [3, 13, 12],
    [1, 17, 16],
  ])(
    'goes on to the same bits: a checkpoint every %i steps, stopped in step %i',
    async (everySteps, step, resumes) => {
      const file = join(folder, `${everySteps}-${step}.checkpoint`);
      const options = { ...OPTIONS, checkpoint: { file, everySteps } };
      await upTo(step, options);
      const events: TrainingEvent[] = [];
      const resumed = await trainRetriever(world, { ...options, onEvent: (event) => events.push(event) });
      expect(resumed.resumedAt).toBeGreaterThanOrEqual(resumes);
      expect(resumed.resumedAt).toBeLessThanOrEqual(step);
      expect(resumed.history).toEqual(whole.history);
      expect(sameBits(weightsOf(resumed), weightsOf(whole))).toBe(true);
      expect(resumed.temperature).toBe(whole.temperature);
      // What happened before is told again: 20 steps, 6 measurements.
      expect(events).toHaveLength(26);
      // At the end there is nothing more to do.
      const ended = await trainRetriever(world, options);
      expect(ended.resumedAt).toBe(20);
      expect(sameBits(weightsOf(ended), weightsOf(whole))).toBe(true);
    },
  );
});

it('a run that goes on keeps the parameters that measured best before it was interrupted', async () => {
  // Queries that are their documents already: nothing can be better than the beginning.
  const { documents } = world;
  const positives = Array.from({ length: documents.rows }, (_, i) => [i]);
  const done = { vectors: documents, positives };
  const data = { documents, train: done, dev: done };
  const file = join(folder, 'best.checkpoint');
  const options = { ...OPTIONS, documentTower: undefined, patience: 2, checkpoint: { file } };
  await upTo(7, options, data);
  const { resumedAt, before, after, history, query } = await trainRetriever(data, options);
  expect(resumedAt).toBe(5);
  expect(after).toEqual(before);
  expect(history.evaluations.map(({ best }) => best)).toEqual([true, false, false]);
  const identity = Float32Array.from({ length: 256 }, (_, i) => (i % 17 === 0 ? 1 : 0));
  expect(query.parameters.get('weight')!.values).toEqual(identity);
});

describe('a checkpoint', () => {
  it('is refused by a run with other options or data, which says what differs', async () => {
    const file = join(folder, 'other.checkpoint');
    const checkpoint = { file };
    await trainRetriever(world, { ...OPTIONS, epochs: 1, checkpoint });
    const refused = (options: TrainOptions, data = world) =>
      expect(trainRetriever(data, { ...OPTIONS, epochs: 1, checkpoint, ...options })).rejects;
    await refused({ batchSize: 16 }).toMatchObject({
      code: 'CHECKPOINT_MISMATCH',
      message: expect.stringContaining('batchSize was 32 and is 16'),
      details: { file, differences: expect.arrayContaining(['batchSize was 32 and is 16']) },
    });
    await refused({ seed: 5 }).toMatchObject({ details: { differences: ['seed was 0 and is 5'] } });
    await refused({}, rotatedWorld({ seed: 'other' })).toMatchObject({
      details: {
        differences: ['documents', 'train', 'dev'].map((name) => `the data of ${name} are others`),
      },
    });
    // Threads change no bit.
    await trainRetriever(world, { ...OPTIONS, epochs: 1, checkpoint, threads: 1 });
  });

  it('that is damaged is refused by name, wherever it is damaged', async () => {
    const file = join(folder, 'damaged.checkpoint');
    const options = { ...OPTIONS, epochs: 1, checkpoint: { file } };
    await trainRetriever(world, options);
    const whole = readFileSync(file);
    const header = 8 + Number(whole.readBigUInt64LE());
    const refused = async (bytes: Uint8Array) => {
      writeFileSync(file, bytes);
      await expect(trainRetriever(world, options)).rejects.toMatchObject({
        code: 'TRAINING_FILE_INVALID',
        details: { file },
      });
    };
    await refused(whole.subarray(0, whole.length - 1));
    await refused(whole.subarray(0, 5));
    await refused(
      Buffer.concat([whole.subarray(0, 8), Buffer.from('{'), whole.subarray(9)]).fill(0x20, 8, 9),
    );
    const flipped = Buffer.from(whole);
    flipped[header + 11]! ^= 1;
    await refused(flipped);
    const huge = Buffer.from(whole);
    huge.writeBigUInt64LE(2n ** 40n);
    await refused(huge);
    const other = Buffer.from(whole);
    other.write('granule-training-chickpoint', other.indexOf('granule-training-checkpoint'));
    await refused(other);
  });

  it('of a run that diverged is the last good one, and its name is told', async () => {
    const file = join(folder, 'diverged.checkpoint');
    const wild = {
      ...OPTIONS,
      queryTower: { kind: 'linear', input: 16, output: 16, normalise: false } as const,
    };
    const options = {
      ...wild,
      documentTower: undefined,
      learningRate: 1e38,
      clip: 1e9,
      warmup: 0.5,
      checkpoint: { file, everySteps: 1 },
    };
    const error = await trainRetriever(world, options).catch((reason) => reason);
    expect(error).toMatchObject({ code: 'TRAINING_DIVERGED', details: { checkpoint: file } });
    const { step, checkpointStep } = error.details;
    expect(checkpointStep).toBe(step - 1);
    expect(error.message).toContain(`${file} holds the state after step ${checkpointStep}`);
    // It is whole: a run that goes on from it fails at the same step.
    await expect(trainRetriever(world, options)).rejects.toMatchObject({
      code: 'TRAINING_DIVERGED',
      details: { step, checkpoint: file, checkpointStep },
    });
  });

  it('of a run whose loss explodes remembers for how long it has been above its bound', async () => {
    const file = join(folder, 'exploded.checkpoint');
    const exploding: TrainOptions = {
      ...OPTIONS,
      queryTower: { kind: 'linear', input: 16, output: 16, normalise: false },
      documentTower: undefined,
      learnTemperature: false,
      learningRate: 1000,
      warmup: 0,
      clip: 1e9,
      decay: 'constant',
      steps: 30,
      patience: 100,
      checkpoint: { file, everySteps: 5 },
    };
    const { message, details } = await trainRetriever(world, exploding).catch((reason) => reason);
    expect(message).toMatch(/the loss is [\d.e+]+, it has exploded/);
    expect(details.step).toBeGreaterThan(20);
    expect(details.checkpointStep).toBeGreaterThanOrEqual(details.step - 5);
    await expect(trainRetriever(world, exploding)).rejects.toMatchObject({ message });
  });
});
