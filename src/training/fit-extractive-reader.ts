import { GranuleError } from '../errors.js';
import { checkWhole } from '../evaluation/option-checks.js';
import { CANDIDATE_FEATURES } from '../generators/extractive/candidate-features.js';
import { parsePassage } from '../generators/extractive/passage-parse.js';
import { analyseQuestion } from '../generators/extractive/question-analysis.js';
import { NULL_FEATURES, readPassage } from '../generators/extractive/read-passage.js';
import type { ReaderWeights } from '../generators/extractive/reader-weights.js';
import { normaliseAnswer } from '../generators/normalise-answer.js';
import { checkKeys } from '../index/arguments.js';
import { checkAtLeast } from './losses/loss-arguments.js';

/** A question, a passage, and the answers that the passage gives; none where it does not answer the question. */
export interface ReaderExample {
  readonly question: string;
  readonly passage: string;
  readonly answers: readonly string[];
}

/** Options of {@link fitExtractiveReader}. */
export interface FitReaderOptions {
  /** Strength of the penalty on squared weights, at least 0; default 0.01. */
  readonly penalty?: number | undefined;
  /** Steps of Adam over all examples, at least 0; default 1000. */
  readonly steps?: number | undefined;
}

/** An example, read: per candidate (the null answer first) its features, and whether it is right. */
interface ReadExample {
  readonly features: readonly Float64Array[];
  readonly right: readonly boolean[];
}

const CANDIDATES = CANDIDATE_FEATURES.length;
const WEIGHTS = CANDIDATES + NULL_FEATURES.length;
const DEFAULT_PENALTY = 0.01;

/**
 * Fits the weights of an `ExtractiveReader` by maximum likelihood: minimises the mean over examples of
 *
 *     -ln (sum of p over the right candidates) + penalty / 2 * |w|^2 / (number of weights)
 *
 * by Adam from zero, over all examples at each step; no randomness. Right is each candidate that equals an accepted
 * answer after `normaliseAnswer`, or the null answer where none is accepted. Examples whose answer is not among the
 * passage's candidates are left out.
 *
 * @throws GranuleError `INVALID_ARGUMENT`, also where no example is left
 */
export function fitExtractiveReader(
  examples: Iterable<ReaderExample>,
  options: FitReaderOptions = {},
): ReaderWeights {
  checkKeys(options, ['penalty', 'steps']);
  const penalty = checkAtLeast(options.penalty ?? DEFAULT_PENALTY, 0, 'penalty');
  const steps = options.steps ?? 1000;
  checkWhole(steps, 0, Number.MAX_SAFE_INTEGER, 'steps');
  const read = readExamples(examples);
  const weights = new Float64Array(WEIGHTS);
  const mean = new Float64Array(WEIGHTS);
  const square = new Float64Array(WEIGHTS);
  for (let step = 1; step <= steps; step++) {
    const { gradient } = objective(read, weights, penalty);
    const rate = 0.2 * (1 - (step - 1) / steps);
    for (let i = 0; i < WEIGHTS; i++) {
      mean[i] = 0.9 * mean[i]! + 0.1 * gradient[i]!;
      square[i] = 0.99 * square[i]! + 0.01 * gradient[i]! ** 2;
      const scale = Math.sqrt(square[i]! / (1 - 0.99 ** step)) + 1e-8;
      weights[i]! -= (rate * (mean[i]! / (1 - 0.9 ** step))) / scale;
    }
  }
  const named = <Name extends string>(names: readonly Name[], from: number) =>
    Object.fromEntries(names.map((name, i) => [name, weights[from + i]!])) as Record<Name, number>;
  return { candidate: named(CANDIDATE_FEATURES, 0), none: named(NULL_FEATURES, CANDIDATES) };
}

/**
 * The objective of {@link fitExtractiveReader} at given weights, with its largest partial derivative: near 0 at the
 * optimum.
 *
 * @throws GranuleError `INVALID_ARGUMENT` where no example is left
 */
export function readerObjective(
  examples: Iterable<ReaderExample>,
  weights: ReaderWeights,
  penalty = DEFAULT_PENALTY,
): { readonly loss: number; readonly steepest: number; readonly examples: number } {
  const read = readExamples(examples);
  const { loss, gradient } = objective(
    read,
    Float64Array.of(
      ...CANDIDATE_FEATURES.map((name) => weights.candidate[name]),
      ...NULL_FEATURES.map((name) => weights.none[name]),
    ),
    penalty,
  );
  return { loss, steepest: Math.max(...gradient.map(Math.abs)), examples: read.length };
}

function readExamples(examples: Iterable<ReaderExample>): ReadExample[] {
  const read: ReadExample[] = [];
  for (const { question, passage, answers } of examples) {
    const { candidates, features, nullFeatures } = readPassage(
      analyseQuestion(question),
      parsePassage(passage),
    );
    const accepted = new Set(answers.map(normaliseAnswer));
    const right = [answers.length === 0, ...candidates.map(({ normalised }) => accepted.has(normalised))];
    if (!right.includes(true)) continue;
    read.push({ features: [nullFeatures, ...features], right });
  }
  if (read.length === 0) throw new GranuleError('INVALID_ARGUMENT', 'no example holds its answer');
  return read;
}

function objective(read: readonly ReadExample[], weights: Float64Array, penalty: number) {
  const gradient = weights.map((weight) => (penalty * weight) / WEIGHTS);
  let loss = weights.reduce((sum, weight) => sum + (penalty / 2 / WEIGHTS) * weight * weight, 0);
  for (const { features, right } of read) {
    const scores = features.map((values, c) => score(values, weights, offsetOf(c)));
    const largest = Math.max(...scores);
    const shares = scores.map((value) => Math.exp(value - largest));
    const total = shares.reduce((sum, share) => sum + share, 0);
    const rightTotal = shares.reduce((sum, share, c) => sum + (right[c] ? share : 0), 0);
    loss -= Math.log(rightTotal / total) / read.length;
    for (const [c, values] of features.entries()) {
      const slope = (shares[c]! / total - (right[c] ? shares[c]! / rightTotal : 0)) / read.length;
      const offset = offsetOf(c);
      for (let i = 0; i < values.length; i++) gradient[offset + i]! += slope * values[i]!;
    }
  }
  return { loss, gradient };
}

/** The null answer, candidate 0, has weights of its own behind those of the others. */
function offsetOf(candidate: number): number {
  return candidate === 0 ? CANDIDATES : 0;
}

function score(values: Float64Array, weights: Float64Array, offset: number): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i]! * weights[offset + i]!;
  return sum;
}
