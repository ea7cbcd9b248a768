import type { Passage } from '../../corpus/records.js';
import { GranuleError } from '../../errors.js';
import { likeliestAnswers } from '../../generators/extractive/likeliest-answers.js';
import type { GeneratedAnswer, Generator } from '../../generators/generator.js';
import { checkKeys } from '../../index/arguments.js';
import { ownSpec } from '../../threads/own-spec.js';
import type { ThreadSpec } from '../../threads/thread-spec.js';
import { checkCount } from '../run/check-count.js';
import { PassageReadings } from './passage-readings.js';
import { SpanScorer } from './span-scorer.js';
import { readSpanScorer } from './span-scorer-file.js';
import type { SpanScorerShape } from './span-scorer-shape.js';

/** Options of {@link TrainedReader}. */
export interface TrainedReaderOptions {
  /** Of the scorer. */
  readonly shape: SpanScorerShape;
  /** The scorer's parameters, by name; copied. */
  readonly values: Readonly<Record<string, Float32Array>>;
  /** Most answers per passage; default 5. */
  readonly answers?: number | undefined;
}

/** Passages that are read between two looks at the abort signal. */
const CHUNK = 8;

/** An `ExtractiveReader` whose candidates are scored by a trained `SpanScorer`. English only. */
export class TrainedReader implements Generator {
  readonly name = 'trained-reader';
  readonly spec: ThreadSpec | undefined;
  readonly #scorer: SpanScorer;
  readonly #answers: number;
  readonly #readings = new PassageReadings();

  /** @throws GranuleError `INVALID_ARGUMENT`, `DIMENSION_INVALID`, `LENGTH_MISMATCH` */
  constructor(options: TrainedReaderOptions) {
    checkKeys(options, ['shape', 'values', 'answers']);
    this.#answers = checkCount(options.answers ?? 5, 'answers');
    const values = Object.fromEntries(
      Object.entries(options.values).map(([name, data]) => [name, data.slice()]),
    );
    this.#scorer = SpanScorer.from(options.shape, values);
    this.spec = ownSpec('training/reader/trained-reader.js', 'TrainedReader', { ...options, values });
  }

  /**
   * The reader of a file that `writeSpanScorer` wrote.
   *
   * @throws GranuleError `FILE_NOT_FOUND`, `TRAINING_FILE_INVALID`, `INVALID_ARGUMENT`
   */
  static async load(
    file: string,
    options: Pick<TrainedReaderOptions, 'answers'> = {},
  ): Promise<TrainedReader> {
    checkKeys(options, ['answers']);
    const { shape, values } = await readSpanScorer(file);
    return new TrainedReader({ shape, values, ...options });
  }

  /** @throws GranuleError `ABORTED` */
  async generate(
    question: string,
    passages: readonly Passage[],
    options: { readonly signal?: AbortSignal } = {},
  ): Promise<GeneratedAnswer[][]> {
    const answers: GeneratedAnswer[][] = [];
    for (let first = 0; first < passages.length; first += CHUNK) {
      if (options.signal?.aborted) throw new GranuleError('ABORTED', 'reading was aborted');
      const readings = passages
        .slice(first, first + CHUNK)
        .map(({ text }) => this.#readings.read(question, text));
      const { scores } = await this.#scorer.score(readings, { threads: 1, signal: options.signal });
      for (const [i, { candidates }] of readings.entries()) {
        const [nullScore, ...others] = scores[i]!;
        answers.push(likeliestAnswers(candidates, others, nullScore!, this.#answers));
      }
      await new Promise((resume) => setImmediate(resume));
    }
    return answers;
  }
}
