import type { Tower } from '../../training/towers/tower.js';
import { trainRetriever } from '../../training/trainer/train-retriever.js';
import type { JudgedQueries } from '../../training/trainer/training-data.js';
import type { CountryKnowledge } from './country-knowledge.js';
import type { QuestionExamples, QuestionSet } from './question-examples.js';
import type { StageOptions } from './stage-options.js';

const RANK = 16;
const EPOCHS = 3;

/**
 * Learns where the passages are that answer a question: a low-rank tower over the frozen vectors of `question + " " + title`, which begins as
 * the identity, by in-batch contrast with mined hard negatives. The epoch that ranks passages best for the questions of `dev` is kept.
 *
 * @param knowledge - of countries that may be trained on
 * @param examples - as `questionExamples` makes them of this knowledge
 * @throws GranuleError `TRAINING_DIVERGED`, `ABORTED`
 */
export async function trainQueryTower(
  { passages }: CountryKnowledge,
  { train, dev }: QuestionExamples,
  { seed, threads, signal, onStep }: StageOptions,
): Promise<Tower> {
  let steps = 0;
  const { query } = await trainRetriever(
    { documents: passages, train: judged(train), dev: judged(dev) },
    {
      queryTower: { kind: 'low-rank', dimension: passages.columns, rank: RANK },
      learningRate: 3e-3,
      epochs: EPOCHS,
      measures: ['recip_rank'],
      seed: `query tower ${seed}`,
      threads,
      signal,
      onPlan: (plan) => {
        steps = plan.steps;
      },
      onEvent: (event) => {
        if (event.type === 'step') onStep?.({ step: event.step, steps, loss: event.loss });
      },
    },
  );
  return query;
}

function judged({ questions, vectors }: QuestionSet): JudgedQueries {
  return { vectors, positives: questions.map(({ positives }) => positives) };
}
