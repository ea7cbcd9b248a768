import type { GeneratedAnswer } from '../generators/generator.js';

/** How an answer is chosen: the single likeliest path, or all paths that lead to the same answer together. */
export type MiRagSelection = 'joint' | 'marginal';

/** The four probabilities of one path from picture to answer. */
export interface PathProbabilities {
  /** p(e | q); 1 for the question alone and for a given entity. */
  readonly entity: number;
  /** p(z | q, e). */
  readonly passage: number;
  /** p(a | q, z). */
  readonly answer: number;
  /** Their product. */
  readonly joint: number;
}

/** One path: an entity, a passage, and an answer in it. */
export interface MiRagPath {
  readonly answer: GeneratedAnswer;
  /** Number of the passage in `MiRagAnswer.passages`. */
  readonly passage: number;
  /** Number of the entity in `MiRagAnswer.entities`; undefined for the question alone. */
  readonly entity: number | undefined;
  readonly probabilities: PathProbabilities;
  /** ln p(e | q) + ln p(z | q, e) + ln p(a | q, z). */
  readonly logJoint: number;
}
