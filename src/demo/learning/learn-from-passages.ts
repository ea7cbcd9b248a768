import { SeededRandom } from '../../ranking/seeded-random.js';
import { shuffled } from '../../ranking/shuffled.js';
import type { SpanScorer } from '../../training/reader/span-scorer.js';
import type { Tower } from '../../training/towers/tower.js';
import { copiedTower } from './copied-parts.js';
import type { CountryKnowledge } from './country-knowledge.js';
import type { QuestionSet } from './question-examples.js';
import { type FoundPassages, QuestionPassages } from './question-passages.js';
import type { QueryStageOptions } from './stage-options.js';
import { takeSteps } from './take-steps.js';

/** A stage that teaches the query tower by the passages that it finds. */
export interface PassageStage {
  /** For messages, and for the order of the steps. */
  readonly name: string;
  /** Begins the seed of which questions are asked. */
  readonly asked: string;
  /** Passages per question. */
  readonly depth: number;
  /** Questions that are asked, each once, where the options name no number. */
  readonly questions: number;
  /** Highest rate, where the options name none. */
  readonly learningRate: number;
  /** What the passages of some questions teach, question by question. */
  readonly teach: (found: FoundPassages, rows: readonly number[]) => Promise<readonly PassageLesson[]>;
}

/** What the passages of one question teach. */
export interface PassageLesson {
  readonly loss: number;
  /** dL/d(score) of each of its passages. */
  readonly gradient: Float64Array;
}

/**
 * Teaches a query tower by the mean over questions of what their passages teach. Passages are found anew in each step; the reader stays as it
 * is.
 *
 * @param knowledge - of countries that may be trained on
 * @param set - questions about them
 * @returns the query tower that has learned; the one given stays as it is
 * @throws GranuleError `TRAINING_DIVERGED`, `ABORTED`, and what the stage throws
 */
export async function learnFromPassages(
  stage: PassageStage,
  knowledge: CountryKnowledge,
  { query, reader }: { readonly query: Tower; readonly reader: SpanScorer },
  set: QuestionSet,
  options: QueryStageOptions,
): Promise<Tower> {
  const { name, depth } = stage;
  const { seed, threads, signal, onStep, readings } = options;
  const { questions = stage.questions, learningRate = stage.learningRate } = options;
  const tower = copiedTower(query);
  using passages = await QuestionPassages.create(
    knowledge,
    { query: tower, reader },
    { depth, threads, signal, readings },
  );
  const order = shuffled([...set.questions.keys()], new SeededRandom(`${stage.asked} ${seed}`));
  const steps = { seed, epochs: 1, learningRate, weightDecay: 0, threads, signal, onStep };
  await takeSteps(name, { query: tower }, order.slice(0, questions), steps, async (batch) => {
    const found = await passages.find(set, batch);
    const gradient = new Float64Array(batch.length * depth);
    let sum = 0;
    for (const [i, lesson] of (await stage.teach(found, batch)).entries()) {
      sum += lesson.loss;
      gradient.set(
        lesson.gradient.map((slope) => slope / batch.length),
        i * depth,
      );
    }
    await found.hits.backward(gradient, { threads, signal });
    return sum / batch.length;
  });
  return tower;
}
