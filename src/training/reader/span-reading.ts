import { CANDIDATE_FEATURES } from '../../generators/extractive/candidate-features.js';
import type { ParsedCandidate, ParsedPassage } from '../../generators/extractive/passage-parse.js';
import type { AnalysedQuestion } from '../../generators/extractive/question-analysis.js';
import { readPassage } from '../../generators/extractive/read-passage.js';

/** What a {@link SpanScorer} reads of a question and a passage. */
export interface SpanReading {
  readonly candidates: readonly ParsedCandidate[];
  /** candidates x 45, row-major, in the order of `CANDIDATE_FEATURES`. */
  readonly features: Float32Array;
  /** What speaks for the null answer, in the order of `NULL_FEATURES`. */
  readonly nullFeatures: Float32Array;
}

/** Reads a passage for a question. */
export function readSpans(question: AnalysedQuestion, passage: ParsedPassage): SpanReading {
  const { candidates, features, nullFeatures } = readPassage(question, passage);
  const packed = new Float32Array(candidates.length * CANDIDATE_FEATURES.length);
  for (const [i, values] of features.entries()) packed.set(values, i * CANDIDATE_FEATURES.length);
  return { candidates, features: packed, nullFeatures: Float32Array.from(nullFeatures) };
}

/**
 * Which scores of a reading are right, as a scorer gives them: the null answer first, then the candidates.
 *
 * @param accepted - answers after `normaliseAnswer`
 * @param nullAnswer - whether the null answer is right where no candidate is
 */
export function rightSpans(
  { candidates }: SpanReading,
  accepted: ReadonlySet<string>,
  nullAnswer: boolean,
): Uint8Array {
  const right = Uint8Array.from([
    0,
    ...candidates.map(({ normalised }) => (accepted.has(normalised) ? 1 : 0)),
  ]);
  if (nullAnswer && !right.includes(1)) right[0] = 1;
  return right;
}
