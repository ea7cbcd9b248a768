import type { Passage } from '../corpus/records.js';
import type { ThreadSpec } from '../threads/thread-spec.js';

/** An answer that a generator gives from one passage. */
export interface GeneratedAnswer {
  readonly text: string;
  /** ln p(answer | question, passage); at most 0. */
  readonly logProbability: number;
  /** Where the answer stands in the passage's text, as UTF-16 offsets, for extractive generators. */
  readonly span?: readonly [start: number, end: number];
}

/** Questions and passages to answers. */
export interface Generator {
  readonly name: string;
  /** How a thread makes another one; without it, this one works on the thread that calls it, or looks after threads itself. */
  readonly spec?: ThreadSpec | undefined;
  /**
   * Answers `question` from each passage by itself.
   *
   * @returns for each passage its answers, most probable first; an empty list where it has none
   */
  generate(
    question: string,
    passages: readonly Passage[],
    options?: { readonly signal?: AbortSignal },
  ): Promise<GeneratedAnswer[][]>;
}
