import type { Entity } from '../corpus/records.js';
import type { ImageInput } from '../encoders/encoder.js';
import { answerScores } from '../evaluation/answer-metrics.js';
import { pseudoRelevance } from '../evaluation/pseudo-relevance.js';
import { precisionAt, reciprocalRankAt } from '../evaluation/rank-metrics.js';
import type { Generator } from '../generators/generator.js';
import { PASSAGE_TEMPERATURE } from '../retrievers/dense-passage-retriever.js';
import type { EntityHit, PassageRetriever, Timings } from '../retrievers/retriever.js';
import { MiRag, type MiRagOptions, type MiRagQuestion } from '../systems/mirag.js';
import type { CountryQuestion } from './countries/country-questions.js';

/** Entities are ranked so deep. */
export const ENTITY_DEPTH = 100;
/** Passages are counted so deep. */
const PASSAGE_DEPTH = 20;

/** A question that a system is asked. */
export interface AskedQuestion {
  readonly question: CountryQuestion;
  readonly picture: ImageInput;
  /** The entity that the question is about. */
  readonly gold: Entity;
  /** What the system found in the picture, best first; undefined where it has not looked. */
  readonly hits: readonly EntityHit[] | undefined;
}

/** What a system answers with. */
export interface AnsweringParts {
  readonly passages: PassageRetriever;
  readonly generator: Generator;
}

/** What one answer scores, each from 0 to 1. */
export interface AnswerScores {
  /** Whether the right entity came first; for a system that has not looked, in the order in which its passages name entities. */
  readonly entityP1: number;
  /** 1 / rank of the right entity among the first 100; 0 below. */
  readonly entityMrr100: number;
  /** 1 / rank of the first passage of 20 that holds an accepted answer; 0 without one. */
  readonly passageMrr: number;
  readonly passageP1: number;
  readonly passageP20: number;
  readonly exactMatch: number;
  readonly f1: number;
}

/** Options of {@link scoreAnswer}. */
export interface ScoreAnswerOptions {
  readonly mirag?: MiRagOptions | undefined;
  readonly signal?: AbortSignal | undefined;
  /** `answerMs`, the milliseconds of the answer, is added. */
  readonly timings?: Timings | undefined;
}

/** Asks a system one question, and scores entities, passages and answer as `evaluateDemo` says. */
export async function scoreAnswer(
  { question, picture, gold, hits }: AskedQuestion,
  { passages, generator }: AnsweringParts,
  { mirag = {}, signal, timings = {} }: ScoreAnswerOptions = {},
): Promise<AnswerScores> {
  const abort = signal === undefined ? {} : { signal };
  const entities = {
    retrieve: async (_: ImageInput, { k }: { readonly k: number }) => topK(hits ?? [], k),
  };
  const asked: MiRagQuestion = {
    question: question.question,
    ...(hits === undefined ? {} : { image: picture }),
  };
  const start = performance.now();
  const { answer } = await new MiRag({ entities, passages, generator }, mirag).ask(asked, abort);
  timings['answerMs'] = (timings['answerMs'] ?? 0) + performance.now() - start;
  const ranked = await rankPassages(
    question.question,
    hits && topK(hits, mirag.entityCount ?? 3),
    passages,
    mirag.passageTemperature ?? PASSAGE_TEMPERATURE,
    abort,
  );
  const order = hits?.map(({ item }) => item.id) ?? [...new Set(ranked.map(({ entityId }) => entityId))];
  const isGold = order.map((id) => id === gold.id);
  const relevant = ranked
    .slice(0, PASSAGE_DEPTH)
    .map(({ text }) => pseudoRelevance(text, question.answers) !== 'none');
  const { exactMatch, f1 } = answerScores(answer, question.answers);
  return {
    entityP1: precisionAt(isGold, 1),
    entityMrr100: reciprocalRankAt(isGold, ENTITY_DEPTH),
    passageMrr: reciprocalRankAt(relevant, PASSAGE_DEPTH),
    passageP1: precisionAt(relevant, 1),
    passageP20: precisionAt(relevant, PASSAGE_DEPTH),
    exactMatch,
    f1,
  };
}

/** Passages by p(e | q) p(z | q, e), each once; for the question alone, deep enough to rank entities by them. */
async function rankPassages(
  question: string,
  hits: readonly EntityHit[] | undefined,
  passages: PassageRetriever,
  temperature: number,
  abort: { readonly signal?: AbortSignal },
) {
  const queries = hits?.map(({ item }) => `${question} ${item.title}`) ?? [question];
  const k = hits === undefined ? ENTITY_DEPTH : PASSAGE_DEPTH;
  const lists = await passages.retrieve(queries, { k, ...abort });
  const weighted = lists.flatMap((list, query) =>
    list.map(({ item, score }) => ({
      item,
      weight: Math.log(hits === undefined ? 1 : hits[query]!.probability) + score / temperature,
    })),
  );
  weighted.sort((a, b) => (b.weight > a.weight ? 1 : b.weight < a.weight ? -1 : 0));
  return [...new Map(weighted.map(({ item }) => [item.id, item])).values()];
}

/** The first k hits with their probabilities scaled to sum to 1, which is the softmax over these k. */
function topK(hits: readonly EntityHit[], k: number): EntityHit[] {
  const top = hits.slice(0, k);
  const mass = top.reduce((sum, { probability }) => sum + probability, 0);
  return top.map((hit) => ({ ...hit, probability: mass > 0 ? hit.probability / mass : 1 / top.length }));
}
