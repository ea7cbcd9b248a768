import type { Entity, Passage } from '../corpus/records.js';
import type { GeneratedAnswer } from '../generators/generator.js';
import type { EntityHit, Timings } from '../retrievers/retriever.js';
import type { MiRagPath, MiRagSelection, PathProbabilities } from './mirag-path.js';
import type { TraceStep } from './mirag-trace.js';

/** A passage that was retrieved for an entity, or for the question alone. */
export interface MiRagPassage {
  readonly passage: Passage;
  /** Number of its entity in `MiRagAnswer.entities`; undefined for the question alone. */
  readonly entity: number | undefined;
  readonly score: number;
  /** p(z | q, e): softmax of score / temperature over the passages of all entities. */
  readonly probability: number;
  /** Its answers, most probable first. */
  readonly answers: readonly GeneratedAnswer[];
}

/** What all paths to one normalised answer weigh together. */
export interface AnswerVote {
  /** The answer in the words of its likeliest path. */
  readonly text: string;
  /** ln of the sum over paths of p(e | q) p(z | q, e) p(a | q, z). */
  readonly logProbability: number;
  /** Number of paths. */
  readonly paths: number;
  readonly best: MiRagPath;
}

/** An answer with everything that led to it. */
export interface MiRagAnswer {
  readonly question: string;
  /** The selected answer; null where no passage gave one. */
  readonly answer: string | null;
  readonly select: MiRagSelection;
  /** The entity of the selected path. */
  readonly entity: Entity | null;
  /** The passage of the selected path. */
  readonly passage: Passage | null;
  /** Where the answer stands in the passage's text, as UTF-16 offsets. */
  readonly span: readonly [start: number, end: number] | null;
  readonly probabilities: PathProbabilities | null;
  /** The likeliest path of all. */
  readonly joint: MiRagPath | null;
  /** The answer with most votes; its path is the likeliest one that leads to it. */
  readonly marginal: AnswerVote | null;
  /** All answers by their votes, most first. */
  readonly votes: readonly AnswerVote[];
  /** All entities, likeliest first, with the patches that matched; empty for the question alone. */
  readonly entities: readonly EntityHit[];
  /** All passages with their answers, by p(e | q) p(z | q, e). */
  readonly passages: readonly MiRagPassage[];
  /** Milliseconds of each stage: entities, passages, answers, selection, total; and what the retrievers add. */
  readonly timings: Timings;
  /** What was done, in order. */
  readonly trace: readonly TraceStep[];
}
