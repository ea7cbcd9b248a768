import { ParsedPassages } from '../../generators/extractive/parsed-passages.js';
import { type AnalysedQuestion, analyseQuestion } from '../../generators/extractive/question-analysis.js';
import { checkKeys } from '../../index/arguments.js';
import { checkCount } from '../run/check-count.js';
import { readSpans, type SpanReading } from './span-reading.js';

/** Options of {@link PassageReadings}. */
export interface PassageReadingsOptions {
  /** Readings that are kept, the latest ones; 4,096 by default. One of 100 candidates takes about 20 kB. */
  readonly kept?: number | undefined;
}

/**
 * Reads passages for questions, and keeps the latest readings: features do not change while weights learn, so one of these may serve several
 * models and trainings.
 */
export class PassageReadings {
  readonly #kept: number;
  readonly #passages = new ParsedPassages();
  readonly #readings = new Map<string, SpanReading>();
  #question = '';
  #analysed: AnalysedQuestion = analyseQuestion('');

  /** @throws GranuleError `INVALID_ARGUMENT` */
  constructor(options: PassageReadingsOptions = {}) {
    checkKeys(options, ['kept']);
    this.#kept = checkCount(options.kept ?? 4096, 'kept');
  }

  /** The passage, read for the question. */
  read(question: string, passage: string): SpanReading {
    // The length says where the question ends.
    const key = `${question.length} ${question}${passage}`;
    const reading = this.#readings.get(key) ?? this.#read(question, passage);
    this.#readings.delete(key);
    this.#readings.set(key, reading);
    if (this.#readings.size > this.#kept) this.#readings.delete(this.#readings.keys().next().value!);
    return reading;
  }

  #read(question: string, passage: string): SpanReading {
    if (question !== this.#question) {
      this.#question = question;
      this.#analysed = analyseQuestion(question);
    }
    return readSpans(this.#analysed, this.#passages.parse(passage));
  }
}
