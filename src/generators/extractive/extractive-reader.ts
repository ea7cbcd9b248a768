import type { Passage } from '../../corpus/records.js';
import { GranuleError } from '../../errors.js';
import { ownSpec } from '../../threads/own-spec.js';
import type { ThreadSpec } from '../../threads/thread-spec.js';
import type { GeneratedAnswer, Generator } from '../generator.js';
import { CANDIDATE_FEATURES } from './candidate-features.js';
import { likeliestAnswers } from './likeliest-answers.js';
import { ParsedPassages } from './parsed-passages.js';
import { analyseQuestion } from './question-analysis.js';
import { NULL_FEATURES, type Reading, readPassage } from './read-passage.js';
import { READER_WEIGHTS, type ReaderWeights } from './reader-weights.js';

/** Options of {@link ExtractiveReader}. */
export interface ExtractiveReaderOptions {
  /** Most answers per passage; default 5. */
  readonly answers?: number;
  /** Weights of the features; default `READER_WEIGHTS`. */
  readonly weights?: ReaderWeights;
}

const DEFAULT_ANSWERS = 5;

/** Passages that are read between two looks at the abort signal. */
const CHUNK = 8;

/**
 * A reader that needs no model: it marks the answer in the passage.
 *
 * Every noun phrase, number and list of the passage is a candidate c with features f(c) (how many of the question's
 * words its sentence holds, how near they are, how it stands to what the question asks for, whether its form fits); one
 * more candidate says that the passage holds no answer. With weights w,
 *
 *     p(a | q, z) = sum over candidates c of text a of exp(w . f(c)) / sum over all candidates and the null of the same
 *
 * so a passage without the answer gives every span a low probability. Texts are compared by `normaliseAnswer`; the span
 * given is that of the likeliest candidate. English only.
 */
export class ExtractiveReader implements Generator {
  readonly name = 'extractive-reader';
  readonly spec: ThreadSpec | undefined;
  readonly #answers: number;
  readonly #candidateWeights: readonly number[];
  readonly #nullWeights: readonly number[];
  readonly #passages = new ParsedPassages();

  /** @throws GranuleError `INVALID_ARGUMENT` */
  constructor(options: ExtractiveReaderOptions = {}) {
    this.#answers = options.answers ?? DEFAULT_ANSWERS;
    const { candidate, none } = options.weights ?? READER_WEIGHTS;
    this.#candidateWeights = CANDIDATE_FEATURES.map((name) => candidate[name]);
    this.#nullWeights = NULL_FEATURES.map((name) => none[name]);
    if (!Number.isSafeInteger(this.#answers) || this.#answers < 1) {
      throw new GranuleError('INVALID_ARGUMENT', `answers must be a positive integer, got ${this.#answers}`, {
        answers: this.#answers,
      });
    }
    this.spec = ownSpec('generators/extractive/extractive-reader.js', 'ExtractiveReader', options);
  }

  /** @throws GranuleError `ABORTED` */
  async generate(
    question: string,
    passages: readonly Passage[],
    options: { readonly signal?: AbortSignal } = {},
  ): Promise<GeneratedAnswer[][]> {
    const analysed = analyseQuestion(question);
    const answers: GeneratedAnswer[][] = [];
    for (const [i, passage] of passages.entries()) {
      if (i % CHUNK === 0) {
        if (i > 0) await new Promise((resume) => setImmediate(resume));
        if (options.signal?.aborted) throw new GranuleError('ABORTED', 'reading was aborted');
      }
      answers.push(this.#answersOf(readPassage(analysed, this.#passages.parse(passage.text))));
    }
    return answers;
  }

  #answersOf(reading: Reading): GeneratedAnswer[] {
    const scores = reading.features.map((features) => dot(features, this.#candidateWeights));
    const nullScore = dot(reading.nullFeatures, this.#nullWeights);
    return likeliestAnswers(reading.candidates, scores, nullScore, this.#answers);
  }
}

function dot(features: Float64Array, weights: readonly number[]): number {
  return features.reduce((sum, value, i) => sum + value * weights[i]!, 0);
}
