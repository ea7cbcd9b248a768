import { CandidateReader } from './candidate-features.js';
import type { ParsedCandidate, ParsedPassage } from './passage-parse.js';
import type { AnalysedQuestion } from './question-analysis.js';

/** A passage read for a question. */
export interface Reading {
  readonly candidates: readonly ParsedCandidate[];
  /** Per candidate, its features in the order of `CANDIDATE_FEATURES`. */
  readonly features: readonly Float64Array[];
  /** What the null answer is judged by, in the order of `NULL_FEATURES`. */
  readonly nullFeatures: Float64Array;
}

/** What speaks for "the answer is not in this passage". */
export const NULL_FEATURES = ['bias', 'missedByPassage', 'missedBySentence', 'focusMissed'] as const;

/** Name of what speaks for the null answer. */
export type NullFeature = (typeof NULL_FEATURES)[number];

/** Words of what the question asks for count this many times. */
const FOCUS_WEIGHT = 2;

/** Judges every candidate answer of a passage for a question. */
export function readPassage(question: AnalysedQuestion, passage: ParsedPassage): Reading {
  const weights = wordWeights(question, passage);
  const total = Math.max(1e-9, sum(weights.values()));
  const coverages = passage.sentences.map(({ stems }) => met(stems, weights) / total);
  const reader = new CandidateReader(question, passage, weights, coverages);
  const everything = new Set(passage.sentences.flatMap(({ stems }) => [...stems]));
  const head = question.focus[0];
  return {
    candidates: passage.candidates,
    features: passage.candidates.map((candidate) => reader.features(candidate)),
    nullFeatures: Float64Array.of(
      1,
      1 - met(everything, weights) / total,
      1 - Math.max(0, ...coverages),
      head !== undefined && !everything.has(head) ? 1 : 0,
    ),
  };
}

/**
 * Per stem of the question: its weight there (twice for the focus) times ln(1 + (n - df + 0.5) / (df + 0.5)) over the
 * passage's n sentences, where df is at least 1.
 */
function wordWeights(question: AnalysedQuestion, { sentences }: ParsedPassage): Map<string, number> {
  const weights = new Map<string, number>();
  for (const [stem, weight] of question.words) {
    const df = Math.max(1, sentences.filter(({ stems }) => stems.has(stem)).length);
    const idf = Math.log(1 + (sentences.length - df + 0.5) / (df + 0.5));
    weights.set(stem, weight * idf * (question.focus.includes(stem) ? FOCUS_WEIGHT : 1));
  }
  return weights;
}

function met(stems: ReadonlySet<string>, weights: ReadonlyMap<string, number>): number {
  let total = 0;
  for (const [stem, weight] of weights) if (stems.has(stem)) total += weight;
  return total;
}

function sum(values: Iterable<number>): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}
