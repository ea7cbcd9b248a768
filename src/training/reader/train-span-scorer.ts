import { EventLoopTurns } from '../../approximate/event-loop-turns.js';
import { GranuleError } from '../../errors.js';
import { normaliseAnswer } from '../../generators/normalise-answer.js';
import { checkKeys, checkSignal } from '../../index/arguments.js';
import { SeededRandom } from '../../ranking/seeded-random.js';
import { shuffled } from '../../ranking/shuffled.js';
import type { ReaderExample } from '../fit-extractive-reader.js';
import { checkCount } from '../run/check-count.js';
import { DivergenceGuard } from '../run/divergence.js';
import { checkSchedule, learningRateAt } from '../run/learning-rate.js';
import { AdamW } from '../towers/adamw.js';
import { answerLikelihood } from './answer-likelihood.js';
import { PassageReadings } from './passage-readings.js';
import { rightSpans, type SpanReading } from './span-reading.js';
import type { SpanScorer } from './span-scorer.js';

/** Options of {@link trainSpanScorer}. */
export interface TrainSpanScorerOptions {
  /** Times that all examples are seen; 5 by default. */
  readonly epochs?: number | undefined;
  /** Examples per step; 32 by default. */
  readonly batchSize?: number | undefined;
  /** Of AdamW; 0.01 by default, falling linearly to 0. */
  readonly learningRate?: number | undefined;
  /** Of AdamW; 0.01 by default. */
  readonly weightDecay?: number | undefined;
  /** Greatest norm of a step's gradient; 1 by default. */
  readonly clip?: number | undefined;
  /** Of the order of the examples; 0 by default. */
  readonly seed?: number | string | undefined;
  /** Most threads; 0, the default, means one per core. Results do not depend on it. */
  readonly threads?: number | undefined;
  /** Stops the work. */
  readonly signal?: AbortSignal | undefined;
}

/** What {@link trainSpanScorer} did. */
export interface SpanTraining {
  /** Examples that were learned from. */
  readonly examples: number;
  /** Examples that were left out: their answer is no candidate of the passage. */
  readonly unreachable: number;
  /** Per epoch, the mean of -ln p over the examples, each as it was when it was seen. */
  readonly losses: readonly number[];
}

interface LabelledReading {
  readonly reading: SpanReading;
  readonly right: Uint8Array;
}

/**
 * Trains a span scorer by stochastic steps of AdamW, in a shuffled order, on
 *
 *     L = mean over the examples of a batch of -ln (sum of p over the right candidates)
 *
 * Right is each candidate that equals an accepted answer after `normaliseAnswer`, or the null answer where none is accepted. The same as
 * `fitExtractiveReader` minimises for a linear scorer, but for the penalty, over all examples at each step. A seed gives the same weights on
 * every run.
 *
 * @throws GranuleError `INVALID_ARGUMENT`, also where no example holds its answer; `TRAINING_DIVERGED` with `details.step`; `ABORTED`
 */
export async function trainSpanScorer(
  scorer: SpanScorer,
  examples: Iterable<ReaderExample>,
  options: TrainSpanScorerOptions = {},
): Promise<SpanTraining> {
  checkKeys(options, [
    'epochs',
    'batchSize',
    'learningRate',
    'weightDecay',
    'clip',
    'seed',
    'threads',
    'signal',
  ]);
  const { learningRate = 0.01, weightDecay, clip = 1, seed = 0, threads, signal } = options;
  const epochs = checkCount(options.epochs ?? 5, 'epochs');
  const batchSize = checkCount(options.batchSize ?? 32, 'batchSize');
  const optimiser = new AdamW(scorer.parameters, { learningRate, weightDecay });
  const { readings, unreachable } = await readAll(examples, checkSignal(signal));
  const steps = epochs * Math.ceil(readings.length / batchSize);
  const schedule = { learningRate, ...checkSchedule({ warmup: 0, decay: 'linear' }, steps) };
  const guard = new DivergenceGuard();
  const losses: number[] = [];
  for (let epoch = 0; epoch < epochs; epoch++) {
    const order = shuffled(readings, new SeededRandom(`${seed}/epoch ${epoch}`));
    let sum = 0;
    for (let first = 0; first < order.length; first += batchSize) {
      const some = order.slice(first, first + batchSize);
      const step = optimiser.steps + 1;
      await guard.during(step, async () => {
        const readingsOf = some.map(({ reading }) => reading);
        const scores = await scorer.score(readingsOf, { threads, signal });
        const likelihoods = some.map(({ right }, i) => answerLikelihood(scores.scores[i]!, right));
        const loss = -likelihoods.reduce((total, { logLikelihood }) => total + logLikelihood, 0);
        guard.see(step, loss / some.length);
        sum += loss;
        scorer.zeroGradients();
        await scores.backward(
          likelihoods.map(({ gradient }) => gradient.map((slope) => -slope / some.length)),
          { threads, signal },
        );
        await optimiser.step({ learningRate: learningRateAt(step, schedule), clip, threads });
      });
    }
    losses.push(sum / order.length);
  }
  guard.requireFinite(steps, scorer.parameters);
  return { examples: readings.length, unreachable, losses };
}

async function readAll(examples: Iterable<ReaderExample>, signal: AbortSignal | undefined) {
  const turns = new EventLoopTurns(signal);
  const passages = new PassageReadings();
  const readings: LabelledReading[] = [];
  let unreachable = 0;
  for (const { question, passage, answers } of examples) {
    if (turns.over) await turns.pass();
    const reading = passages.read(question, passage);
    const right = rightSpans(reading, new Set(answers.map(normaliseAnswer)), answers.length === 0);
    if (right.includes(1)) readings.push({ reading, right });
    else unreachable++;
  }
  if (readings.length === 0) throw new GranuleError('INVALID_ARGUMENT', 'no example holds its answer');
  return { readings, unreachable };
}
