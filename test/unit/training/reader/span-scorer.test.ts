import { describe, expect, it } from 'vitest';
import { CANDIDATE_FEATURES } from '../../../../src/generators/extractive/candidate-features.js';
import { ExtractiveReader } from '../../../../src/generators/extractive/extractive-reader.js';
import { NULL_FEATURES } from '../../../../src/generators/extractive/read-passage.js';
import { READER_WEIGHTS, type ReaderWeights } from '../../../../src/generators/extractive/reader-weights.js';
import { normaliseAnswer } from '../../../../src/generators/normalise-answer.js';
import { SeededRandom } from '../../../../src/ranking/seeded-random.js';
import { shuffled } from '../../../../src/ranking/shuffled.js';
import { fitExtractiveReader, readerObjective } from '../../../../src/training/fit-extractive-reader.js';
import { answerLikelihood } from '../../../../src/training/reader/answer-likelihood.js';
import { PassageReadings } from '../../../../src/training/reader/passage-readings.js';
import { rightSpans } from '../../../../src/training/reader/span-reading.js';
import { SpanScorer } from '../../../../src/training/reader/span-scorer.js';
import type { SpanScorerShape } from '../../../../src/training/reader/span-scorer-shape.js';
import { trainSpanScorer } from '../../../../src/training/reader/train-span-scorer.js';
import { TrainedReader } from '../../../../src/training/reader/trained-reader.js';
import { AdamW } from '../../../../src/training/towers/adamw.js';
import { FITTING_PASSAGES } from '../../generators/extractive/general-passages.js';
import { sameBits } from '../towers/same-bits.js';
import { slowSpanScores, valuesOf } from './slow-span-scores.js';

const SHAPES: readonly SpanScorerShape[] = [{ kind: 'linear' }, { kind: 'mlp', hidden: 6 }];
const ZERO_WEIGHTS = {
  candidate: Object.fromEntries(CANDIDATE_FEATURES.map((name) => [name, 0])),
  none: Object.fromEntries(NULL_FEATURES.map((name) => [name, 0])),
} as unknown as ReaderWeights;
const EXAMPLES = FITTING_PASSAGES.slice(0, 4).flatMap(({ text, questions }, i) =>
  questions.flatMap(([question, ...answers]) => [
    { question, passage: text, answers },
    { question, passage: FITTING_PASSAGES[i + 4]!.text, answers: [] },
  ]),
);

/** All of whose parameters are random. */
async function randomScorer(shape: SpanScorerShape): Promise<SpanScorer> {
  const scorer = await SpanScorer.create(shape);
  const random = new SeededRandom('scorer');
  for (const { values } of scorer.parameters.values()) values.set(values.map(() => random.normal()));
  return scorer;
}

function weightsOf(scorer: SpanScorer): ReaderWeights {
  const named = (names: readonly string[], name: string) =>
    Object.fromEntries(names.map((feature, i) => [feature, scorer.values[name]![i]!]));
  return {
    candidate: named(CANDIDATE_FEATURES, 'candidate.weight'),
    none: named(NULL_FEATURES, 'none.weight'),
  } as unknown as ReaderWeights;
}

describe.each(SHAPES)('a span scorer of $kind', (shape) => {
  it('begins as the built-in reader', async () => {
    const scorer = await SpanScorer.create(shape, { seed: 3 });
    const trained = new TrainedReader({ shape, values: scorer.values });
    const passages = FITTING_PASSAGES.slice(0, 3).map(({ text }) => ({ id: 'p', entityId: 'e', text }));
    const [question] = FITTING_PASSAGES[0]!.questions[0]!;
    const found = await trained.generate(question!, passages);
    const expected = await new ExtractiveReader().generate(question!, passages);
    for (const [i, answers] of expected.entries()) {
      for (const [j, { text, span, logProbability }] of answers.slice(0, 2).entries()) {
        expect(found[i]![j]).toMatchObject({ text, span });
        expect(found[i]![j]!.logProbability).toBeCloseTo(logProbability, 4);
      }
    }
  });

  it('has p(a | q, z) and its gradient with respect to all weights, as float64 and finite differences have', async () => {
    const scorer = await randomScorer(shape);
    const cache = new PassageReadings();
    const some = [...EXAMPLES.slice(0, 2), { question: 'Who?', passage: '', answers: [] }];
    const readings = some.map(({ question, passage }) => cache.read(question, passage));
    const right = readings.map((reading, i) =>
      rightSpans(reading, new Set(some[i]!.answers.map(normaliseAnswer)), true),
    );
    const values = valuesOf(scorer);
    const loss = () =>
      readings.reduce(
        (sum, reading, i) => sum + answerLikelihood(slowSpanScores(values, reading), right[i]!).logLikelihood,
        0,
      );
    const pass = await scorer.score(readings);
    for (const [i, reading] of readings.entries()) {
      for (const [c, score] of slowSpanScores(values, reading).entries()) {
        expect(Math.abs(pass.scores[i]![c]! - score)).toBeLessThan(1e-5);
      }
    }
    await pass.backward(pass.scores.map((scores, i) => answerLikelihood(scores, right[i]!).gradient));
    for (const [name, { gradient }] of scorer.parameters) {
      const numbers = values[name]!;
      const greatest = gradient.reduce((most, slope) => Math.max(most, Math.abs(slope)), 1e-3);
      for (let i = 0; i < numbers.length; i += numbers.length > 45 ? 13 : 1) {
        const value = numbers[i]!;
        numbers[i] = value + 1e-5;
        const above = loss();
        numbers[i] = value - 1e-5;
        const slope = (above - loss()) / 2e-5;
        numbers[i] = value;
        expect(Math.abs(gradient[i]! - slope)).toBeLessThan(1e-5 * greatest);
      }
    }
  });

  it('scores a passage without candidates by its null answer alone', async () => {
    const scorer = await randomScorer(shape);
    const reading = new PassageReadings().read('Who?', '');
    const pass = await scorer.score([reading]);
    expect(pass.scores.map(({ length }) => length)).toEqual([1]);
    await pass.backward([Float64Array.of(1)]);
    const gradient = (name: string) => [...scorer.parameters.get(name)!.gradient];
    expect(gradient('none.weight')).toEqual([...reading.nullFeatures]);
    expect(gradient('candidate.weight').every((slope) => slope === 0)).toBe(true);
    await expect(pass.backward([])).rejects.toMatchObject({ code: 'LENGTH_MISMATCH' });
    await expect(pass.backward([Float64Array.of(1, 2)])).rejects.toMatchObject({ code: 'LENGTH_MISMATCH' });
  });

  it('learns, and a seed gives the same bits for every number of threads', async () => {
    const trained = async (seed: number, threads: number) => {
      const scorer = await SpanScorer.create(shape, { weights: ZERO_WEIGHTS });
      const { losses } = await trainSpanScorer(scorer, EXAMPLES, {
        epochs: 6,
        batchSize: 8,
        learningRate: 0.1,
        seed,
        threads,
      });
      return { losses, values: Object.values(scorer.values) };
    };
    const first = await trained(1, 1);
    expect(first.losses.at(-1)).toBeLessThan(first.losses[0]! / 4);
    expect(sameBits((await trained(1, 3)).values, first.values)).toBe(true);
    expect(sameBits((await trained(2, 1)).values, first.values)).toBe(false);
  });
});

interface Training {
  readonly epochs: number;
  readonly batchSize: number;
  readonly learningRate: number;
  readonly clip: number;
  readonly seed: number;
}

/** The loop of training as it is written down; each example is one that holds its answer. */
async function slowTraining(scorer: SpanScorer, { epochs, batchSize, learningRate, clip, seed }: Training) {
  const readings = new PassageReadings();
  const labelled = EXAMPLES.map(({ question, passage, answers }) => {
    const reading = readings.read(question!, passage);
    return {
      reading,
      right: rightSpans(reading, new Set(answers.map(normaliseAnswer)), answers.length === 0),
    };
  });
  const optimiser = new AdamW(scorer.parameters, { weightDecay: 0.3 });
  const steps = epochs * Math.ceil(labelled.length / batchSize);
  const losses: number[] = [];
  for (let epoch = 0; epoch < epochs; epoch++) {
    const order = shuffled(labelled, new SeededRandom(`${seed}/epoch ${epoch}`));
    let sum = 0;
    for (let first = 0; first < order.length; first += batchSize) {
      const batch = order.slice(first, first + batchSize);
      const pass = await scorer.score(batch.map(({ reading }) => reading));
      const found = batch.map(({ right }, i) => answerLikelihood(pass.scores[i]!, right));
      sum += -found.reduce((total, { logLikelihood }) => total + logLikelihood, 0);
      scorer.zeroGradients();
      await pass.backward(found.map(({ gradient }) => gradient.map((slope) => -slope / batch.length)));
      await optimiser.step({ learningRate: learningRate * (1 - optimiser.steps / steps), clip });
    }
    losses.push(sum / order.length);
  }
  return losses;
}

describe('training a span scorer', () => {
  it('takes the steps that are written down', async () => {
    // The last batch of an epoch is not whole, gradients are above the greatest norm, and what was left before is not added.
    const options = { epochs: 3, batchSize: 5, learningRate: 0.05, clip: 0.2, seed: 4 };
    expect(EXAMPLES.length % 5).toBeGreaterThan(0);
    const [fast, slow] = [await SpanScorer.create(SHAPES[1]!), await SpanScorer.create(SHAPES[1]!)];
    for (const { gradient } of fast.parameters.values()) gradient.fill(7);
    const { losses } = await trainSpanScorer(fast, EXAMPLES, { ...options, weightDecay: 0.3 });
    expect(losses).toEqual(await slowTraining(slow, options));
    expect(sameBits(Object.values(fast.values), Object.values(slow.values))).toBe(true);
  });

  it('comes to where the batch fit comes to', async () => {
    const scorer = await SpanScorer.create({ kind: 'linear' }, { weights: ZERO_WEIGHTS });
    await trainSpanScorer(scorer, EXAMPLES, {
      epochs: 40,
      batchSize: EXAMPLES.length,
      learningRate: 0.2,
      weightDecay: 0,
    });
    const fitted = readerObjective(
      EXAMPLES,
      fitExtractiveReader(EXAMPLES, { penalty: 0, steps: 40 }),
      0,
    ).loss;
    expect(readerObjective(EXAMPLES, weightsOf(scorer), 0).loss).toBeLessThan(2 * fitted);
    expect(fitted).toBeLessThan(readerObjective(EXAMPLES, ZERO_WEIGHTS, 0).loss / 4);
  });

  it('says which examples it left out, and refuses where none is left', async () => {
    const scorer = await SpanScorer.create({ kind: 'linear' });
    const unreachable = { question: 'Who?', passage: 'It rains.', answers: ['Nobody knows'] };
    const { examples, unreachable: left } = await trainSpanScorer(scorer, [...EXAMPLES, unreachable], {
      epochs: 1,
    });
    expect([examples, left]).toEqual([EXAMPLES.length, 1]);
    await expect(trainSpanScorer(scorer, [unreachable])).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    await expect(trainSpanScorer(scorer, EXAMPLES, { batchSize: 0 })).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
    });
    const signal = AbortSignal.abort();
    await expect(trainSpanScorer(scorer, EXAMPLES, { signal })).rejects.toMatchObject({ code: 'ABORTED' });
  });

  it('makes a reader that its spec makes again, with weights of its own', async () => {
    const scorer = await SpanScorer.create({ kind: 'mlp', hidden: 2 });
    const reader = new TrainedReader({ shape: scorer.shape, values: scorer.values, answers: 1 });
    const { question, passage } = EXAMPLES[0]!;
    const passages = [{ id: 'p', entityId: 'e', text: passage }];
    const before = await reader.generate(question!, passages);
    expect(before[0]).toHaveLength(1);
    const again = new TrainedReader(structuredClone(reader.spec!.options) as never);
    for (const values of Object.values(scorer.values)) values.fill(0);
    expect(await reader.generate(question!, passages)).toEqual(before);
    expect(await again.generate(question!, passages)).toEqual(before);
    const aborted = reader.generate(question!, passages, { signal: AbortSignal.abort() });
    await expect(aborted).rejects.toMatchObject({ code: 'ABORTED' });
  });

  it('knows its parameters by name and size', () => {
    const values = { 'candidate.weight': new Float32Array(45), 'none.weight': new Float32Array(4) };
    expect([...SpanScorer.from({ kind: 'linear' }, values).parameters.keys()]).toEqual(Object.keys(values));
    for (const [shape, given, code] of [
      [{ kind: 'linear' }, { ...values, 'hidden.output.bias': new Float32Array(1) }, 'INVALID_ARGUMENT'],
      [{ kind: 'linear' }, { 'candidate.weight': values['candidate.weight'] }, 'INVALID_ARGUMENT'],
      [{ kind: 'linear' }, { ...values, 'none.weight': new Float32Array(5) }, 'LENGTH_MISMATCH'],
      [{ kind: 'mlp', hidden: 0 }, values, 'DIMENSION_INVALID'],
      [{ kind: 'cubic' }, values, 'INVALID_ARGUMENT'],
    ] as const) {
      expect(() => SpanScorer.from(shape as SpanScorerShape, given)).toThrowError(
        expect.objectContaining({ code }),
      );
    }
    expect(Object.keys(READER_WEIGHTS.candidate)).toHaveLength(45);
  });
});
