import { ParsedPassages } from '../../generators/extractive/parsed-passages.js';
import { type AnalysedQuestion, analyseQuestion } from '../../generators/extractive/question-analysis.js';
import { readSpans, type SpanReading } from './span-reading.js';

/** Readings that are kept, the latest ones: of 100 candidates each takes about 20 kB. */
const KEPT_READINGS = 4096;

/** Reads passages for questions, and keeps the latest readings: features do not change while weights learn. */
export class PassageReadings {
  readonly #passages = new ParsedPassages();
  readonly #readings = new Map<string, SpanReading>();
  #question = '';
  #analysed: AnalysedQuestion = analyseQuestion('');

  /** The passage, read for the question. */
  read(question: string, passage: string): SpanReading {
    const key = `${question}\n${passage}`;
    const reading = this.#readings.get(key) ?? this.#read(question, passage);
    this.#readings.delete(key);
    this.#readings.set(key, reading);
    if (this.#readings.size > KEPT_READINGS) this.#readings.delete(this.#readings.keys().next().value!);
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
