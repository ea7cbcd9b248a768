import { describe, expect, it } from 'vitest';
import { RETRIEVER_LOSSES } from '../../../../src/training/trainer/batch-losses.js';
import type { TrainOptions } from '../../../../src/training/trainer/train-options.js';
import { type TrainedRetriever, trainRetriever } from '../../../../src/training/trainer/train-retriever.js';
import { matrix } from '../../../../src/vectors/matrix.js';
import { sameBits } from '../towers/same-bits.js';
import { rotatedWorld } from './rotated-world.js';

const world = rotatedWorld();
const LINEAR = { kind: 'linear', input: 16, output: 16 } as const;
const QUICK: TrainOptions = { queryTower: LINEAR, batchSize: 32, epochs: 40, learningRate: 0.03 };

const weightsOf = ({ query, document }: TrainedRetriever): Float32Array[] =>
  [query, document].flatMap((tower) => [...(tower?.parameters.values() ?? [])].map(({ values }) => values));

describe('a retriever', () => {
  it('learns a rotation between queries and documents, so that queries it never saw find theirs first', async () => {
    const { before, after, history, end } = await trainRetriever(world, QUICK);
    expect(before!.measures['recip_rank']).toBeLessThan(0.2);
    expect(after!.measures).toEqual({ recip_rank: 1, ndcg_cut_10: 1, recall_10: 1 });
    expect(end).toBe('patience');
    expect(history.steps.at(-1)!.loss).toBeLessThan(0.1 * history.steps[0]!.loss);
  });

  it('learns it with towers on both sides, of which neither could be left out', async () => {
    const both: TrainOptions = {
      ...QUICK,
      queryTower: { kind: 'linear', input: 16, output: 12 },
      documentTower: { kind: 'linear', input: 16, output: 12 },
    };
    const { before, after, document } = await trainRetriever(world, both);
    expect(before!.measures['recip_rank']).toBeLessThan(0.2);
    expect(after!.measures['recip_rank']).toBeGreaterThan(0.95);
    expect(document!.output).toBe(12);
  });

  it.each(RETRIEVER_LOSSES)('gets better by %s', async (loss) => {
    const { before, after } = await trainRetriever(world, { ...QUICK, epochs: 12, loss, temperature: 0.2 });
    expect(after!.measures['recip_rank']).toBeGreaterThan(before!.measures['recip_rank']! + 0.2);
  });

  it('has the same bits on every run and number of threads, and others with another seed', async () => {
    const options = { ...QUICK, epochs: 3 };
    const first = await trainRetriever(world, { ...options, threads: 1 });
    const again = await trainRetriever(world, { ...options, threads: 2 });
    expect(sameBits(weightsOf(again), weightsOf(first))).toBe(true);
    expect(again.history).toEqual(first.history);
    const other = await trainRetriever(world, { ...options, seed: 'another' });
    expect(sameBits(weightsOf(other), weightsOf(first))).toBe(false);
  });

  it('keeps the parameters that measured best, those at the beginning included', async () => {
    // Queries that are their documents already: nothing can be better, and a step can only make them worse.
    const { documents } = world;
    const positives = Array.from({ length: documents.rows }, (_, i) => [i]);
    const done = { vectors: documents, positives };
    const { query, before, after, end, history } = await trainRetriever(
      { documents, train: done, dev: done },
      { ...QUICK, patience: 2 },
    );
    expect(history.evaluations.map(({ best }) => best)).toEqual([true, false, false]);
    expect(before!.measures['recip_rank']).toBe(1);
    expect(after).toEqual(before);
    expect(end).toBe('patience');
    const identity = Float32Array.from({ length: 256 }, (_, i) => (i % 17 === 0 ? 1 : 0));
    expect(query.parameters.get('weight')!.values).toEqual(identity);
  });

  it('learns its temperature, or leaves it as it is', async () => {
    const options = { ...QUICK, epochs: 2 };
    const learned = await trainRetriever(world, options);
    expect(learned.temperature).not.toBeCloseTo(0.05, 6);
    const left = await trainRetriever(world, { ...options, learnTemperature: false });
    expect(left.temperature).toBeCloseTo(0.05, 7);
  });

  it('tells of every step and measurement, as its history has them', async () => {
    const events: object[] = [];
    const { history } = await trainRetriever(world, {
      ...QUICK,
      epochs: 2,
      onEvent: (event) => events.push(event),
    });
    expect(history.steps.map(({ step, epoch }) => [step, epoch])).toEqual([
      ...[1, 2, 3, 4].map((step) => [step, 1]),
      ...[5, 6, 7, 8].map((step) => [step, 2]),
    ]);
    expect(events).toHaveLength(8 + 3);
    expect(events[0]).toEqual({ type: 'evaluation', ...history.evaluations[0] });
    expect(events[5]).toEqual({ type: 'evaluation', ...history.evaluations[1] });
    expect(events[6]).toEqual({ type: 'step', ...history.steps[4] });
  });
});

describe('training', () => {
  it('stops where the loss is not finite, and says at which step', async () => {
    const wild = {
      ...QUICK,
      queryTower: { ...LINEAR, normalise: false },
      learningRate: 1e38,
      clip: 1e9,
      warmup: 0,
    };
    await expect(trainRetriever(world, wild)).rejects.toMatchObject({
      code: 'TRAINING_DIVERGED',
      details: { step: expect.any(Number) },
      message: expect.stringMatching(/stopped at step \d+: .*; there is no checkpoint/),
    });
  });

  it('does not end with parameters beyond float32, though nothing was measured or kept', async () => {
    const { documents, train } = world;
    const last = { ...QUICK, steps: 1, learningRate: 1e39, warmup: 0 };
    await expect(trainRetriever({ documents, train }, last)).rejects.toMatchObject({
      code: 'TRAINING_DIVERGED',
      message: expect.stringMatching(
        /stopped at step 1: query.weight holds -?Infinity; there is no checkpoint/,
      ),
    });
  });

  it('refuses data that teach nothing or contradict themselves', async () => {
    const { documents, train } = world;
    const refused = (changed: object, options: TrainOptions = QUICK) =>
      expect(trainRetriever({ documents, train: { ...train, ...changed } }, options)).rejects;
    const { rows } = train.vectors;
    const all = (list: readonly number[]) => Array.from({ length: rows }, () => list);
    await refused({ positives: all([]) }).toMatchObject({
      code: 'TRAINING_DATA_INVALID',
      details: { set: 'train', query: 0 },
    });
    await refused({ negatives: train.positives }).toMatchObject({ code: 'TRAINING_DATA_INVALID' });
    await refused({ grades: all([]).map(() => new Map([[0, 0]])) }).toMatchObject({
      code: 'TRAINING_DATA_INVALID',
    });
    await refused({ positives: all([160]) }).toMatchObject({ code: 'INVALID_ARGUMENT' });
    await refused({ positives: [[0]] }).toMatchObject({ code: 'LENGTH_MISMATCH' });
    const bad = train.vectors.data.slice();
    bad[17] = Number.NaN;
    await refused({ vectors: matrix(bad, 16) }).toMatchObject({
      code: 'NOT_FINITE',
      details: { row: 1, column: 1 },
    });
    await refused({}, { ...QUICK, loss: 'rank-net', hardNegatives: 0 }).toMatchObject({
      code: 'INVALID_ARGUMENT',
    });
    const one = { vectors: matrix(train.vectors.data.slice(0, 16), 16), positives: [[0]] };
    await refused(one, { ...QUICK, hardNegatives: 0 }).toMatchObject({ code: 'TRAINING_DATA_INVALID' });
  });

  it.each([
    [{ batchSize: 0 }, 'INVALID_ARGUMENT'],
    [{ epochs: 1.5 }, 'INVALID_ARGUMENT'],
    [{ warmup: 1 }, 'INVALID_ARGUMENT'],
    [{ warmup: -0.1 }, 'INVALID_ARGUMENT'],
    [{ loss: 'hinge' }, 'INVALID_ARGUMENT'],
    [{ measures: ['recip'] }, 'INVALID_ARGUMENT'],
    [{ measures: ['relstring'] }, 'INVALID_ARGUMENT'],
    [{ temperature: 0 }, 'TEMPERATURE_INVALID'],
    [{ learningrate: 1 }, 'INVALID_ARGUMENT'],
    [{ queryTower: { kind: 'linear', input: 16, output: 8 } }, 'LENGTH_MISMATCH'],
    [{ queryTower: { kind: 'linear', input: 8, output: 16 } }, 'LENGTH_MISMATCH'],
  ])('refuses the options %o', async (options, code) => {
    await expect(trainRetriever(world, { ...QUICK, ...options } as TrainOptions)).rejects.toMatchObject({
      code,
    });
  });
});
