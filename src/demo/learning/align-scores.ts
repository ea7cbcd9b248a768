import { SeededRandom } from '../../ranking/seeded-random.js';
import { shuffled } from '../../ranking/shuffled.js';
import { replug } from '../../training/losses/replug.js';
import { answerLikelihood } from '../../training/reader/answer-likelihood.js';
import type { SpanScorer } from '../../training/reader/span-scorer.js';
import type { Tower } from '../../training/towers/tower.js';
import { copiedTower } from './copied-parts.js';
import type { CountryKnowledge } from './country-knowledge.js';
import type { QuestionExamples } from './question-examples.js';
import { QuestionPassages } from './question-passages.js';
import type { QueryStageOptions } from './stage-options.js';
import { takeSteps } from './take-steps.js';

/** Questions that are asked, each once. */
const QUESTIONS = 1600;
/** Passages of a question that are compared. */
const DEPTH = 8;
const RATE = 1e-4;
/** The likelihood of an answer that a passage does not hold. */
const FLOOR = 1e-6;

/**
 * Brings the scores of a question's passages towards what the reader makes of them (REPLUG): KL of the softmax over passages to that of the
 * reader's likelihoods of the right answer. Passages are found anew in each step; the reader stays as it is.
 *
 * @param knowledge - of countries that may be trained on
 * @param examples - as `questionExamples` makes them of this knowledge
 * @returns the query tower that has learned; the one given stays as it is
 * @throws GranuleError `TRAINING_DIVERGED`, `ABORTED`
 */
export async function alignScores(
  knowledge: CountryKnowledge,
  { query, reader }: { readonly query: Tower; readonly reader: SpanScorer },
  { train }: QuestionExamples,
  { seed, threads, signal, onStep, readings, questions = QUESTIONS, learningRate = RATE }: QueryStageOptions,
): Promise<Tower> {
  const tower = copiedTower(query);
  using passages = await QuestionPassages.create(
    knowledge,
    { query: tower, reader },
    { depth: DEPTH, threads, signal, readings },
  );
  const asked = shuffled([...train.questions.keys()], new SeededRandom(`aligned ${seed}`)).slice(
    0,
    questions,
  );
  const options = { seed, epochs: 1, learningRate, weightDecay: 0, threads, signal, onStep };
  await takeSteps('score alignment', { query: tower }, asked, options, async (batch) => {
    const found = await passages.find(train, batch);
    const gradient = new Float64Array(batch.length * DEPTH);
    let sum = 0;
    for (const [i, read] of found.passages.entries()) {
      const scores = Float64Array.from(read, ({ score }) => score);
      const likelihoods = Float64Array.from(
        read,
        ({ spanScores, right }) => answerLikelihood(spanScores, right, { floor: FLOOR }).logLikelihood,
      );
      const aligned = replug(scores, likelihoods);
      sum += aligned.loss;
      gradient.set(
        aligned.gradient.map((slope) => slope / batch.length),
        i * DEPTH,
      );
    }
    await found.hits.backward(gradient, { threads, signal });
    return sum / batch.length;
  });
  return tower;
}
