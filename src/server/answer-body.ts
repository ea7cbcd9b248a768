import type { Entity, Passage } from '../corpus/records.js';
import type { PassageRecord } from '../corpus/snapshot/stored-records.js';
import type { Quads } from '../encoders/encoder.js';
import type { EntityHit, ImageHit, PassageHit, PatchMatch } from '../retrievers/retriever.js';
import type { MiRagAnswer } from '../systems/mirag-answer.js';
import type { TraceStep } from '../systems/mirag-trace.js';
import type { DocumentHit } from '../systems/search-corpus.js';
import type {
  AnswerBody,
  DocumentHitBody,
  EntityBody,
  EntityHitBody,
  ImageHitBody,
  PassageBody,
  PassageHitBody,
  StageBody,
} from './schemas.js';

/** Ids of an entity's images. The path of a file stays here: it is nobody's business outside. */
export type ImageIds = (entity: Entity) => string[];

/** An entity as it goes over HTTP. */
export function entityBody(entity: Entity, imageIds: ImageIds): EntityBody {
  const { id, title, metadata } = entity;
  return {
    id,
    title,
    ...(metadata !== undefined && { metadata: { ...metadata } }),
    images: imageIds(entity),
  };
}

/** A passage as it goes over HTTP. */
export function passageBody(passage: Passage | PassageRecord): PassageBody {
  const { id, entityId, text, documentId, start, end }: PassageRecord = passage;
  return {
    id,
    entity: entityId,
    text,
    ...(documentId !== undefined && { document: documentId }),
    ...(start !== undefined && { start }),
    ...(end !== undefined && { end }),
  };
}

/** A hit among entities as it goes over HTTP. */
export function entityHitBody(hit: EntityHit, imageIds: ImageIds): EntityHitBody {
  const { item, score, probability, passage, image, region, matches } = hit;
  return {
    entity: entityBody(item, imageIds),
    score,
    probability,
    ...(passage !== undefined && { passage: passageBody(passage) }),
    ...(image !== undefined && { image }),
    ...(region !== undefined && { region: numbers(region) }),
    ...matchBodies(matches),
  };
}

/** A hit among images as it goes over HTTP. */
export function imageHitBody(
  { item, score, probability, region, matches }: ImageHit,
  imageIds: ImageIds,
): ImageHitBody {
  return {
    image: item.id,
    entity: entityBody(item.entity, imageIds),
    score,
    probability,
    region: numbers(region),
    ...matchBodies(matches),
  };
}

function matchBodies(matches: readonly PatchMatch[] | undefined): Pick<ImageHitBody, 'matches'> {
  if (matches === undefined) return {};
  return {
    matches: matches.map(({ query, entity, similarity }) => ({
      query: numbers(query),
      entity: numbers(entity),
      similarity,
    })),
  };
}

/** A hit among passages as it goes over HTTP. */
export function passageHitBody({ item, score, probability }: PassageHit): PassageHitBody {
  return { passage: passageBody(item), score, probability };
}

/** A hit among documents as it goes over HTTP. */
export function documentHitBody({ item, score, probability, passage }: DocumentHit): DocumentHitBody {
  const { id, entityId, title, metadata } = item;
  return {
    document: {
      id,
      entity: entityId,
      ...(title !== undefined && { title }),
      ...(metadata !== undefined && { metadata: { ...metadata } }),
    },
    passage: passageBody(passage),
    score,
    probability,
  };
}

/** A stage of an answer as it goes over HTTP. */
export function stageBody(step: TraceStep): StageBody {
  return step as StageBody;
}

/** An answer as it goes over HTTP. */
export function answerBody(answered: MiRagAnswer, imageIds: ImageIds): AnswerBody {
  const { question, answer, select, entity, passage, span, probabilities, timings } = answered;
  return {
    question,
    answer,
    select,
    entity: entity && entityBody(entity, imageIds),
    passage: passage && passageBody(passage),
    span: span && [...span],
    probabilities,
    votes: answered.votes.map(({ text, logProbability, paths }) => ({
      text,
      probability: probability(logProbability),
      paths,
    })),
    entities: answered.entities.map((hit) => entityHitBody(hit, imageIds)),
    passages: answered.passages.map((found) => ({
      passage: passageBody(found.passage),
      entity: found.entity ?? null,
      score: found.score,
      probability: found.probability,
      answers: found.answers.map(({ text, logProbability, span: place }) => ({
        text,
        probability: probability(logProbability),
        span: place ? [...place] : null,
      })),
    })),
    timings,
    trace: answered.trace.map(stageBody),
  };
}

/** Rounding may leave the sum of all paths a hair above 1. */
function probability(logProbability: number): number {
  return Math.min(1, Math.exp(logProbability));
}

/** With the seven digits that float32 numbers have. */
function numbers(quad: Quads): number[] {
  return Array.from(quad, (number) => Number(number.toPrecision(7)));
}
