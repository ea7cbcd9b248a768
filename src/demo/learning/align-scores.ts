import { replug } from '../../training/losses/replug.js';
import { answerLikelihood } from '../../training/reader/answer-likelihood.js';
import type { SpanScorer } from '../../training/reader/span-scorer.js';
import type { Tower } from '../../training/towers/tower.js';
import type { CountryKnowledge } from './country-knowledge.js';
import { learnFromPassages, type PassageLesson } from './learn-from-passages.js';
import type { QuestionExamples } from './question-examples.js';
import type { ReadPassage } from './question-passages.js';
import type { QueryStageOptions } from './stage-options.js';

const STAGE = { name: 'score alignment', asked: 'aligned', depth: 8, questions: 1600, learningRate: 1e-4 };
/** The likelihood of an answer that a passage does not hold. */
const FLOOR = 1e-6;

/**
 * Brings the scores of a question's passages towards what the reader makes of them (REPLUG): KL of the softmax over passages to that of the
 * reader's likelihoods of the right answer. See {@link learnFromPassages}.
 *
 * @param examples - as `questionExamples` makes them of this knowledge
 */
export function alignScores(
  knowledge: CountryKnowledge,
  parts: { readonly query: Tower; readonly reader: SpanScorer },
  { train }: QuestionExamples,
  options: QueryStageOptions,
): Promise<Tower> {
  const teach = async ({ passages }: { readonly passages: readonly (readonly ReadPassage[])[] }) =>
    passages.map(aligned);
  return learnFromPassages({ ...STAGE, teach }, knowledge, parts, train, options);
}

function aligned(passages: readonly ReadPassage[]): PassageLesson {
  const scores = Float64Array.from(passages, ({ score }) => score);
  const likelihoods = Float64Array.from(
    passages,
    ({ spanScores, right }) => answerLikelihood(spanScores, right, { floor: FLOOR }).logLikelihood,
  );
  return replug(scores, likelihoods);
}
