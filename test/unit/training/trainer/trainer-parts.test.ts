import { describe, expect, it } from 'vitest';
import { softmaxCrossEntropy } from '../../../../src/training/losses/softmax-cross-entropy.js';
import { DivergenceGuard } from '../../../../src/training/run/divergence.js';
import { learningRateAt } from '../../../../src/training/run/learning-rate.js';
import type { RetrieverLoss } from '../../../../src/training/trainer/batch-losses.js';
import { epochOrder } from '../../../../src/training/trainer/epoch-order.js';
import { RetrieverTowers } from '../../../../src/training/trainer/retriever-towers.js';
import { NONE, type TrainingBatch, trainingBatch } from '../../../../src/training/trainer/training-batch.js';
import { lossAndGradients } from '../../../../src/training/trainer/training-step.js';
import { matrix } from '../../../../src/vectors/matrix.js';

describe('the learning rate', () => {
  it('rises in equal steps, and goes down as its formula says', () => {
    const schedule = { learningRate: 1, warmupSteps: 3, steps: 7 };
    const rates = (decay: 'cosine' | 'linear' | 'constant') =>
      [1, 2, 3, 4, 5, 6, 7].map((step) => learningRateAt(step, { ...schedule, decay }));
    expect(rates('constant')).toEqual([0.25, 0.5, 0.75, 1, 1, 1, 1]);
    expect(rates('linear')).toEqual([0.25, 0.5, 0.75, 1, 0.75, 0.5, 0.25]);
    const down = [1, (1 + Math.SQRT1_2) / 2, 0.5, (1 - Math.SQRT1_2) / 2];
    for (const [i, rate] of rates('cosine').slice(3).entries()) expect(rate).toBeCloseTo(down[i]!, 12);
    expect(learningRateAt(1, { ...schedule, warmupSteps: 0, decay: 'cosine' })).toBe(1);
  });
});

describe('the order of an epoch', () => {
  it('has each query once, is that of its seed and epoch, and takes one positive of each', () => {
    const positives = Array.from({ length: 50 }, (_, i) => [i, 100 + i, 200 + i]);
    const order = epochOrder(1, 4, positives);
    expect([...order.queries].sort((a, b) => a - b)).toEqual(positives.map((_, i) => i));
    expect([...order.queries]).not.toEqual(positives.map((_, i) => i));
    for (const [i, positive] of order.positives.entries()) expect(positives[i]).toContain(positive);
    expect(new Set(order.positives.map((row) => Math.floor(row / 100))).size).toBe(3);
    expect(epochOrder(1, 4, positives)).toEqual(order);
    // Another epoch and another seed have another order, and take other positives.
    for (const other of [epochOrder(1, 5, positives), epochOrder(2, 4, positives)]) {
      expect(other.queries).not.toEqual(order.queries);
      expect(other.positives).not.toEqual(order.positives);
    }
  });
});

const JUDGED = {
  vectors: matrix(new Float32Array(3), 1),
  positives: [[7, 9], [9], [5]],
  negatives: [[5], [], [1]],
  grades: [new Map([[9, 3]]), undefined, undefined],
};

/**
 * The loss of scores, and their gradients. Documents are unit vectors along the axes, so that the numbers of a query's vector are its scores;
 * queries are so too before their tower maps them, so that its weights are the scores.
 */
async function batchLoss(loss: RetrieverLoss, scores: Float32Array, batch: TrainingBatch, t: number) {
  const columns = batch.documents.length;
  const inputs = Math.max(...batch.queries) + 1;
  const axes = (rows: number, width: number, axisOf: (row: number) => number) =>
    matrix(
      Float32Array.from({ length: rows * width }, (_, i) =>
        axisOf(Math.floor(i / width)) === i % width ? 1 : 0,
      ),
      width,
    );
  const vectors = {
    queries: axes(inputs, inputs, (row) => row),
    documents: axes(Math.max(...batch.documents) + 1, columns, (row) => batch.documents.indexOf(row)),
  };
  const towers = await RetrieverTowers.create(
    {
      query: { kind: 'linear', input: inputs, output: columns, bias: false, normalise: false },
      document: undefined,
    },
    { seed: 0, temperature: t, learnTemperature: true, signal: undefined },
  );
  const weight = towers.query.parameters.get('weight')!;
  const placeOf = (i: number) => (i % columns) * inputs + batch.queries[Math.floor(i / columns)]!;
  scores.forEach((score, i) => {
    weight.values[placeOf(i)] = score;
  });
  const value = await lossAndGradients(towers, vectors, batch, loss, { threads: 0, signal: undefined });
  const logTemperature = towers.parameters.get('log_temperature')!;
  return {
    loss: value,
    gradient: scores.map((_, i) => weight.gradient[placeOf(i)]!),
    logTemperature: logTemperature.values[0]!,
    logTemperatureGradient: logTemperature.gradient[0]!,
  };
}

describe('the towers of a retriever', () => {
  const shape = { kind: 'mlp', input: 3, hidden: 4, output: 3 } as const;
  const made = (temperature: number, learnTemperature: boolean) =>
    RetrieverTowers.create(
      { query: shape, document: shape },
      { seed: 1, temperature, learnTemperature, signal: undefined },
    );

  it('bring a temperature that learns back between 0.01 and a million, and leave one that does not', async () => {
    for (const [learns, given, bounded] of [
      [true, 0.001, 0.01],
      [true, 1e7, 1e6],
      [true, 0.02, 0.02],
      [false, 0.001, 0.001],
    ] as const) {
      const towers = await made(given, learns);
      towers.boundTemperature();
      expect(towers.temperature / bounded).toBeCloseTo(1, 5);
    }
  });

  it('begin with other numbers on each side', async () => {
    const { query, document } = await made(1, true);
    const weights = ({ parameters }: typeof query) => parameters.get('hidden.weight')!.values;
    expect(weights(query)).not.toEqual(weights(document!));
  });
});

describe('a batch', () => {
  it('has each document once, and knows candidates and their relevance', () => {
    const order = { queries: Uint32Array.of(2, 0, 1), positives: Uint32Array.of(9, 9, 5) };
    const mined = { mined: Uint32Array.of(1, 5, 2, NONE, 7, 1), perQuery: 2 };
    const batch = trainingBatch(JUDGED, order, [0, 3], mined);
    expect([...batch.queries]).toEqual([2, 0, 1]);
    expect([...batch.documents]).toEqual([5, 9, 1, 7, 2]);
    expect([...batch.positives]).toEqual([0, 1, 1]);
    expect([...trainingBatch(JUDGED, order, [1, 3], mined).queries]).toEqual([0, 1]);
    expect(batch.candidates.map((list) => [...list].map((column) => batch.documents[column]))).toEqual([
      [5, 1, 7],
      [7, 9, 5, 1],
      // Of its two mined ones the second is none.
      [9, 2],
    ]);
    expect(batch.relevance.map((list) => [...list])).toEqual([
      [1, 0, 0],
      [1, 3, 0, 0],
      [1, 0],
    ]);
  });

  it.each([
    'in-batch-contrast',
    'in-batch-contrast-one-way',
    'list-net',
    'bi-granular-relevance',
    'softmax-cross-entropy-mean',
  ] as const)(
    'has the gradients of %s, of the temperature too, that finite differences have',
    async (loss) => {
      // Two queries look for document 9.
      const order = { queries: Uint32Array.of(2, 0, 1), positives: Uint32Array.of(9, 9, 5) };
      const batch = trainingBatch(JUDGED, order, [0, 3], { mined: Uint32Array.of(1, 2, 2), perQuery: 1 });
      const size = batch.queries.length * batch.documents.length;
      // Multiples of 2^-7, which float32 holds with the differences that are added to them.
      const scores = Float32Array.from({ length: size }, (_, i) => (((i * 37) % 23) - 11) / 128);
      const { gradient, logTemperatureGradient } = await batchLoss(loss, scores, batch, 0.2);
      const h = 2 ** -10;
      const at = async (i: number, by: number) => {
        const moved = scores.map((score, j) => (i === j ? score + by : score));
        return (await batchLoss(loss, moved, batch, 0.2)).loss;
      };
      for (let i = 0; i < size; i++) {
        expect(gradient[i]).toBeCloseTo(((await at(i, h)) - (await at(i, -h))) / (2 * h), 3);
      }
      const [warmer, colder] = [
        await batchLoss(loss, scores, batch, 0.2 * Math.exp(1e-3)),
        await batchLoss(loss, scores, batch, 0.2 * Math.exp(-1e-3)),
      ];
      // The logarithm is a float32, so they are not quite 2e-3 apart.
      const slope = (warmer.loss - colder.loss) / (warmer.logTemperature - colder.logTemperature);
      expect(logTemperatureGradient).toBeCloseTo(slope, 6);
    },
  );

  it('has the gradient of the logarithm of the temperature among its parameters', async () => {
    const order = { queries: Uint32Array.of(2, 0, 1), positives: Uint32Array.of(9, 9, 5) };
    const batch = trainingBatch(JUDGED, order, [0, 3], { mined: new Uint32Array(0), perQuery: 0 });
    const numbers = (count: number) => Float32Array.from({ length: count }, (_, i) => Math.sin(3 * i + 1));
    const data = { queries: matrix(numbers(3 * 4), 4), documents: matrix(numbers(10 * 4), 4) };
    const options = { threads: 0, signal: undefined };
    for (const loss of ['in-batch-contrast', 'list-net'] as const) {
      const at = async (temperature: number) => {
        const shape = { kind: 'linear', input: 4, output: 4 } as const;
        const towers = await RetrieverTowers.create(
          { query: shape, document: undefined },
          { seed: 0, temperature, learnTemperature: true, signal: undefined },
        );
        const value = await lossAndGradients(towers, data, batch, loss, options);
        return { value, slope: towers.parameters.get('log_temperature')!.gradient[0]! };
      };
      const slope = ((await at(0.3 * Math.exp(1e-3))).value - (await at(0.3 * Math.exp(-1e-3))).value) / 2e-3;
      expect((await at(0.3)).slope).toBeCloseTo(slope, 4);
      expect(Math.abs(slope)).toBeGreaterThan(0.01);
    }
  });

  it('is compared in its own order, each query with its own candidates', async () => {
    const order = { queries: Uint32Array.of(2, 0, 1), positives: Uint32Array.of(9, 9, 5) };
    const batch = trainingBatch(JUDGED, order, [0, 3], { mined: Uint32Array.of(1, 2, 2), perQuery: 1 });
    const columns = batch.documents.length;
    const scores = Float32Array.from({ length: 3 * columns }, (_, i) => (((i * 37) % 23) - 11) / 128);
    const at = (query: number, row: number) =>
      scores[query * columns + [...batch.documents].indexOf(row)]! / 0.2;
    // Queries 2, 0 and 1 look for documents 5, 9 and 9; 7 is another positive of query 0.
    const lost = (query: number, right: number, wrong: readonly number[]) =>
      Math.log(wrong.reduce((sum, row) => sum + Math.exp(at(query, row) - at(query, right)), 1));
    const oneWay = (lost(0, 5, [9, 1, 2, 7]) + lost(1, 9, [5, 1, 2]) + lost(2, 9, [5, 1, 2, 7])) / 3;
    expect((await batchLoss('in-batch-contrast-one-way', scores, batch, 0.2)).loss).toBeCloseTo(oneWay, 6);
    for (const [name, form] of [
      ['softmax-cross-entropy', undefined],
      ['softmax-cross-entropy-mean', 'mean-of-logs'],
    ] as const) {
      const lists = [
        [0, [5, 1, 2], [1, 0, 0]],
        [1, [7, 9, 5, 1], [1, 3, 0, 0]],
        [2, [9, 2], [1, 0]],
      ] as const;
      const losses = lists.map(([query, rows, relevance]) => {
        const own = Float64Array.from(rows, (row) => at(query, row));
        return softmaxCrossEntropy(own, Float64Array.from(relevance), form && { form }).loss;
      });
      const mean = losses.reduce((sum, loss) => sum + loss, 0) / 3;
      expect((await batchLoss(name, scores, batch, 0.2)).loss).toBeCloseTo(mean, 6);
    }
  });

  it('has the gradients of both towers that finite differences have', async () => {
    const order = { queries: Uint32Array.of(2, 0, 1), positives: Uint32Array.of(9, 9, 5) };
    const batch = trainingBatch(JUDGED, order, [0, 3], { mined: new Uint32Array(0), perQuery: 0 });
    const numbers = (count: number) => Float32Array.from({ length: count }, (_, i) => Math.sin(3 * i + 1));
    const data = { queries: matrix(numbers(3 * 4), 4), documents: matrix(numbers(10 * 5), 5) };
    const towers = await RetrieverTowers.create(
      { query: { kind: 'linear', input: 4, output: 3 }, document: { kind: 'linear', input: 5, output: 3 } },
      { seed: 0, temperature: 0.5, learnTemperature: true, signal: undefined },
    );
    const loss = (name: RetrieverLoss) =>
      lossAndGradients(towers, data, batch, name, { threads: 0, signal: undefined });
    for (const name of ['in-batch-contrast', 'list-net'] as const) {
      await loss(name);
      // A second pass begins anew.
      await loss(name);
      const gradients = [...towers.parameters].map(
        ([parameter, { gradient }]) => [parameter, gradient.slice()] as const,
      );
      for (const [parameter, found] of gradients.filter(([side]) => side !== 'log_temperature')) {
        const { values } = towers.parameters.get(parameter)!;
        for (let i = 0; i < values.length; i += 2) {
          const value = values[i]!;
          values[i] = value + 2 ** -9;
          const above = await loss(name);
          values[i] = value - 2 ** -9;
          const slope = (above - (await loss(name))) / 2 ** -8;
          values[i] = value;
          expect(found[i]).toBeCloseTo(slope, 3);
        }
        expect(Math.max(...found.map(Math.abs))).toBeGreaterThan(0.01);
      }
    }
  });

  it('does not take further positives of a query for negatives', async () => {
    const order = { queries: Uint32Array.of(0, 1), positives: Uint32Array.of(7, 9, 5) };
    const batch = trainingBatch(JUDGED, order, [0, 2], { mined: new Uint32Array(0), perQuery: 0 });
    const place = [...batch.documents].indexOf(9);
    const { gradient } = await batchLoss('in-batch-contrast-one-way', new Float32Array(6), batch, 1);
    expect(gradient[place]).toBe(0);
    expect(gradient[batch.documents.length + place]).toBeLessThan(0);
  });
});

describe('a loss', () => {
  const stopsAt = (losses: readonly number[]) => {
    const guard = new DivergenceGuard();
    const stops = (loss: number, i: number) => {
      try {
        guard.see(i + 1, loss);
        return false;
      } catch (error) {
        expect(error).toMatchObject({ code: 'TRAINING_DIVERGED', details: { step: i + 1 } });
        return true;
      }
    };
    return losses.findIndex(stops) + 1;
  };
  const times = (count: number, loss: number) => Array.from({ length: count }, () => loss);

  it('explodes after 20 steps above ten times its least, not after 19', () => {
    expect(stopsAt([2, 1, ...times(19, 10.1), 1, ...times(19, 10.1)])).toBe(0);
    expect(stopsAt([2, 1, ...times(20, 10.1)])).toBe(22);
    expect(stopsAt([2, 1, ...times(100, 10)])).toBe(0);
  });

  it('may go back to where it began, and be small', () => {
    expect(stopsAt([4, 1e-6, ...times(100, 4)])).toBe(0);
    expect(stopsAt([4, 1e-6, ...times(100, 4.1)])).toBe(22);
    expect(stopsAt([1e-9, ...times(100, 0.1)])).toBe(0);
  });

  it('stops training at once where it is not finite', () => {
    expect(stopsAt([1, Number.NaN])).toBe(2);
    expect(stopsAt([1, Number.POSITIVE_INFINITY])).toBe(2);
  });
});
