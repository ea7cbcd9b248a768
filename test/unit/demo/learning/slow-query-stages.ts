import type { CountryKnowledge } from '../../../../src/demo/learning/country-knowledge.js';
import type { QuestionExample, QuestionSet } from '../../../../src/demo/learning/question-examples.js';
import { QuestionPassages, type ReadPassage } from '../../../../src/demo/learning/question-passages.js';
import { likeliestAnswers } from '../../../../src/generators/extractive/likeliest-answers.js';
import { SeededRandom } from '../../../../src/ranking/seeded-random.js';
import { shuffled } from '../../../../src/ranking/shuffled.js';
import { replug } from '../../../../src/training/losses/replug.js';
import {
  answerF1Reward,
  decisionAccuracyReward,
  filterGroupLoss,
  keptCandidates,
  keptCountReward,
  ndcgReward,
  rankingGroupLoss,
  reciprocalRankReward,
  rolloutFilter,
  rolloutRanking,
} from '../../../../src/training/policies/index.js';
import { answerLikelihood } from '../../../../src/training/reader/answer-likelihood.js';
import type { PassageReadings } from '../../../../src/training/reader/passage-readings.js';
import type { SpanScorer } from '../../../../src/training/reader/span-scorer.js';
import { AdamW } from '../../../../src/training/towers/adamw.js';
import { Tower } from '../../../../src/training/towers/tower.js';
import { dot } from '../../../../src/vectors/dot.js';
import { matrixRow } from '../../../../src/vectors/matrix.js';

/** A question, its eight passages, and their scores by the tower that training began with. */
interface Asked {
  readonly question: QuestionExample;
  readonly row: number;
  readonly passages: readonly ReadPassage[];
  readonly reference: readonly number[];
}

/** Two steps of seed 1, of 32 questions each, by the gradient that `slopes` gives for the scores of a question's passages. */
export async function slowQuerySteps(
  [order, name]: readonly [order: string, name: string],
  knowledge: CountryKnowledge,
  { query, reader, readings }: { query: Tower; reader: SpanScorer; readings: PassageReadings },
  train: QuestionSet,
  learningRate: number,
  slopes: (asked: Asked) => Promise<readonly number[]>,
): Promise<Tower> {
  const values = [...query.parameters].map(([key, parameter]) => [key, parameter.values.slice()]);
  const tower = Tower.from(query.shape, Object.fromEntries(values));
  const optimiser = new AdamW(tower.parameters, { weightDecay: 0 });
  using found = await QuestionPassages.create(knowledge, { query: tower, reader }, { depth: 8, readings });
  const drawn = shuffled([...train.questions.keys()], new SeededRandom(`${order} 1`)).slice(0, 64);
  const asked = shuffled(drawn, new SeededRandom(`${name} 1`));
  for (const step of [1, 2]) {
    const batch = asked.slice(32 * step - 32, 32 * step);
    const { vectors, passages, hits } = await found.find(train, batch);
    const first = await query.encode(vectors);
    const gradients: (readonly number[])[] = [];
    for (const [i, row] of batch.entries()) {
      const reference = passages[i]!.map((one) =>
        dot(matrixRow(first, i), matrixRow(knowledge.passages, one.row)),
      );
      gradients.push(
        await slopes({ question: train.questions[row]!, row, passages: passages[i]!, reference }),
      );
    }
    tower.zeroGradients();
    await hits.backward(Float64Array.from(gradients.flat(), (slope) => slope / 32));
    await optimiser.step({ learningRate: step === 1 ? learningRate : learningRate / 2, clip: 1 });
  }
  return tower;
}

/** Of score alignment: REPLUG with the reader's likelihoods of the right answer. */
export async function alignmentSlopes({ passages }: Asked): Promise<readonly number[]> {
  const likelihoods = passages.map(
    ({ spanScores, right }) => answerLikelihood(spanScores, right, { floor: 1e-6 }).logLikelihood,
  );
  const scores = Float64Array.from(passages, ({ score }) => score);
  return [...replug(scores, Float64Array.from(likelihoods)).gradient];
}

/** Of both stages of reinforcement: decisions about all passages, then rankings of those that the first decision which keeps any keeps. */
export async function rewardSlopes({
  question,
  row,
  passages,
  reference,
}: Asked): Promise<readonly number[]> {
  const scores = passages.map(({ score }) => score);
  const asked = {
    id: `1 ${row}`,
    candidates: passages.map((one) => `${one.row}`),
    scores: centred(scores),
    relevance: passages.map((one) => Number(question.positives.includes(one.row))),
    answers: question.answers,
  };
  const drawing = { rollouts: 8, temperature: 0.05, seed: `1 ${row}` };
  const format = { reward: keptCountReward(), weight: 0.5 };
  const filtered = await rolloutFilter(asked, {
    ...drawing,
    rewards: { right: decisionAccuracyReward, format },
  });
  const decided = filterGroupLoss(filtered, asked.scores, { reference: centred(reference) });
  const slopes = centred([...decided.gradient]);
  const { kept } = filtered.rollouts.find((rollout) => rollout.kept.includes(true))!;
  const places = passages.flatMap((_, place) => (kept[place] ? [place] : []));
  const left = keptCandidates(asked, kept, scores);
  const ranked = await rolloutRanking(left, {
    ...drawing,
    places: Math.min(3, places.length),
    rewards: { ndcg: ndcgReward(3), rank: reciprocalRankReward(3), answer: answerF1Reward },
    answer: (_, [best]) => {
      const { reading, spanScores } = passages.find((one) => `${one.row}` === best)!;
      return likeliestAnswers(reading.candidates, spanScores.subarray(1), spanScores[0]!, 1)[0]?.text ?? null;
    },
  });
  const ordered = rankingGroupLoss(ranked, left.scores, {
    reference: places.map((place) => reference[place]!),
  });
  for (const [i, place] of places.entries()) slopes[place]! += ordered.gradient[i]!;
  return slopes;
}

function centred(values: readonly number[]): number[] {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return values.map((value) => value - mean);
}
