import { likeliestAnswers } from '../../generators/extractive/likeliest-answers.js';
import { filterGroupLoss, rankingGroupLoss } from '../../training/policies/group-loss.js';
import { answerF1Reward } from '../../training/policies/rewards/answer-rewards.js';
import { decisionAccuracyReward, keptCountReward } from '../../training/policies/rewards/filter-rewards.js';
import { ndcgReward, reciprocalRankReward } from '../../training/policies/rewards/ranking-rewards.js';
import type { PolicyQuestion, RolloutGroup } from '../../training/policies/rollouts/rollout.js';
import { keptCandidates, rolloutFilter } from '../../training/policies/rollouts/rollout-filter.js';
import { rolloutRanking } from '../../training/policies/rollouts/rollout-ranking.js';
import type { SpanScorer } from '../../training/reader/span-scorer.js';
import type { Tower } from '../../training/towers/tower.js';
import { dot } from '../../vectors/dot.js';
import { matrixRow } from '../../vectors/matrix.js';
import type { CountryKnowledge } from './country-knowledge.js';
import { learnFromPassages, type PassageLesson } from './learn-from-passages.js';
import type { QuestionExample, QuestionExamples } from './question-examples.js';
import type { FoundPassages, ReadPassage } from './question-passages.js';
import type { QueryStageOptions } from './stage-options.js';

const STAGE = { name: 'rewards', asked: 'rewarded', depth: 8, questions: 1600, learningRate: 1e-3 };
/** Places of a ranking. */
const PLACES = 3;
const ROLLOUTS = 8;
/** Of both policies, by which scores are divided. */
const TEMPERATURE = 0.05;
/** 1.5 of a decision, 3 of a ranking. */
const GREATEST_REWARDS = 4.5;

/** A question with its passages, as both policies see it. */
interface Deciding {
  readonly question: QuestionExample;
  readonly passages: readonly ReadPassage[];
  /** Scores of the passages by the tower that training began with. */
  readonly reference: Float64Array;
  /** Tells the draws of this question in this step from all others. */
  readonly seed: string;
}

/**
 * Teaches the query tower by what its own decisions earn, in two stages by group relative policy optimisation: a Bernoulli policy
 * keeps or drops each passage, by its score above the mean of the question's passages, and earns for right decisions and for keeping one at all; a
 * Plackett-Luce policy ranks the kept ones, and earns nDCG, the reciprocal rank, and F1 of what the reader answers by the first. The
 * divergence from the tower that training began with holds both back. See {@link learnFromPassages}.
 *
 * @param examples - as `questionExamples` makes them of this knowledge
 */
export function trainByRewards(
  knowledge: CountryKnowledge,
  parts: { readonly query: Tower; readonly reader: SpanScorer },
  { train }: QuestionExamples,
  options: QueryStageOptions,
): Promise<Tower> {
  const { seed, threads, signal } = options;
  const teach = async ({ vectors, passages }: FoundPassages, rows: readonly number[]) => {
    const first = await parts.query.encode(vectors, { threads, signal });
    const lessons: PassageLesson[] = [];
    for (const [i, row] of rows.entries()) {
      const reference = Float64Array.from(passages[i]!, (passage) =>
        dot(matrixRow(first, i), matrixRow(knowledge.passages, passage.row)),
      );
      const question = train.questions[row]!;
      lessons.push(await teachOne({ question, passages: passages[i]!, reference, seed: `${seed} ${row}` }));
    }
    return lessons;
  };
  return learnFromPassages({ ...STAGE, teach }, knowledge, parts, train, options);
}

/**
 * Both stages for one question: the gradient of their losses to the scores of its passages, and by how much the mean rewards fell short of the
 * greatest ones. (The losses themselves are 0 at each first step on fresh rollouts, but for the divergence.)
 */
async function teachOne({ question, passages, reference, seed }: Deciding): Promise<PassageLesson> {
  const scores = passages.map(({ score }) => score);
  const asked: PolicyQuestion = {
    id: seed,
    candidates: passages.map(({ row }) => String(row)),
    scores: centred(scores),
    relevance: passages.map(({ row }) => (question.positives.includes(row) ? 1 : 0)),
    answers: question.answers,
  };
  const drawing = { rollouts: ROLLOUTS, temperature: TEMPERATURE, seed };
  const filtered = await rolloutFilter(asked, {
    ...drawing,
    rewards: { right: decisionAccuracyReward, format: { reward: keptCountReward(), weight: 0.5 } },
  });
  const decided = filterGroupLoss(filtered, asked.scores, { reference: centred([...reference]) });
  const gradient = Float64Array.from(centred([...decided.gradient]));
  const kept =
    filtered.rollouts.find((rollout) => rollout.kept.includes(true))?.kept ?? passages.map(() => true);
  const left = keptCandidates(asked, kept, scores);
  const answers = new Map(passages.map((passage) => [String(passage.row), answerOf(passage)]));
  const ranked = await rolloutRanking(left, {
    ...drawing,
    places: Math.min(PLACES, left.candidates.length),
    rewards: { ndcg: ndcgReward(PLACES), rank: reciprocalRankReward(PLACES), answer: answerF1Reward },
    answer: (_, [best]) => answers.get(best!)!,
  });
  const places = [...kept.keys()].filter((place) => kept[place]);
  const ordered = rankingGroupLoss(ranked, left.scores, {
    reference: places.map((place) => reference[place]!),
  });
  for (const [i, place] of places.entries()) gradient[place]! += ordered.gradient[i]!;
  return { loss: GREATEST_REWARDS - meanReward(filtered) - meanReward(ranked), gradient };
}

function meanReward({ rollouts }: RolloutGroup): number {
  return rollouts.reduce((sum, { reward }) => sum + reward, 0) / rollouts.length;
}

/** What the reader answers by a passage alone. */
function answerOf({ reading, spanScores }: ReadPassage): string | null {
  const [first] = likeliestAnswers(reading.candidates, spanScores.subarray(1), spanScores[0]!, 1);
  return first?.text ?? null;
}

/** Numbers less their mean; also how a gradient goes back through that. */
function centred(values: readonly number[]): number[] {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return values.map((value) => value - mean);
}
