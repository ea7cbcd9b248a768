import { normaliseAnswer } from '../../generators/normalise-answer.js';
import type { TowerHits } from '../../training/joint/tower-hits.js';
import { TowerSearch } from '../../training/joint/tower-search.js';
import { PassageReadings } from '../../training/reader/passage-readings.js';
import { rightSpans, type SpanReading } from '../../training/reader/span-reading.js';
import type { SpanScorer } from '../../training/reader/span-scorer.js';
import type { Tower } from '../../training/towers/tower.js';
import { pickedRows } from '../../training/trainer/picked-rows.js';
import type { Matrix } from '../../vectors/matrix.js';
import type { CountryKnowledge } from './country-knowledge.js';
import type { QuestionExample, QuestionSet } from './question-examples.js';

/** How passages of questions are found and read. */
export interface QuestionPassagesOptions {
  /** Passages per question. */
  readonly depth: number;
  readonly threads?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly readings?: PassageReadings | undefined;
}

/** A passage that was found for a question, and what the reader says of it. */
export interface ReadPassage {
  /** Row of the passage. */
  readonly row: number;
  readonly score: number;
  readonly reading: SpanReading;
  /** Of the null answer, then of the candidates. */
  readonly spanScores: Float64Array;
  /** Which of these are right; none where the passage holds no accepted answer. */
  readonly right: Uint8Array;
}

/** Some questions with the passages that the tower of the moment finds for them. */
export interface FoundPassages {
  /** Frozen vectors of the questions. */
  readonly vectors: Matrix;
  readonly hits: TowerHits;
  /** Per question, best first. */
  readonly passages: readonly (readonly ReadPassage[])[];
}

/** Finds passages of questions expanded by the right title, by exact search with a tower that learns, and reads them by a reader that does not. */
export class QuestionPassages implements Disposable {
  readonly #knowledge: CountryKnowledge;
  readonly #search: TowerSearch;
  readonly #reader: SpanScorer;
  readonly #readings: PassageReadings;
  readonly #options: QuestionPassagesOptions;

  private constructor(
    knowledge: CountryKnowledge,
    search: TowerSearch,
    reader: SpanScorer,
    options: QuestionPassagesOptions,
  ) {
    this.#knowledge = knowledge;
    this.#search = search;
    this.#reader = reader;
    this.#options = options;
    this.#readings = options.readings ?? new PassageReadings();
  }

  static async create(
    knowledge: CountryKnowledge,
    { query, reader }: { readonly query: Tower; readonly reader: SpanScorer },
    options: QuestionPassagesOptions,
  ): Promise<QuestionPassages> {
    const search = await TowerSearch.create(query, knowledge.passages, options.signal);
    return new QuestionPassages(knowledge, search, reader, options);
  }

  /** @param rows - of questions in the set */
  async find({ questions, vectors }: QuestionSet, rows: readonly number[]): Promise<FoundPassages> {
    const { depth, threads, signal } = this.#options;
    const asked = pickedRows(vectors, rows);
    const hits = await this.#search.search(asked, depth, { threads, signal });
    const readings = rows.flatMap((row, i) =>
      Array.from(hits.rows.subarray(i * depth, (i + 1) * depth), (passage) =>
        this.#readings.read(questions[row]!.question, this.#knowledge.texts[passage]!),
      ),
    );
    const { scores } = await this.#reader.score(readings, { threads, signal });
    const passages = rows.map((row, i) => {
      const accepted = acceptedOf(questions[row]!);
      return Array.from({ length: depth }, (_, place): ReadPassage => {
        const at = i * depth + place;
        const reading = readings[at]!;
        return {
          row: hits.rows[at]!,
          score: hits.scores[at]!,
          reading,
          spanScores: scores[at]!,
          right: rightSpans(reading, accepted, false),
        };
      });
    });
    return { vectors: asked, hits, passages };
  }

  /** Frees the index. */
  [Symbol.dispose](): void {
    this.#search[Symbol.dispose]();
  }
}

function acceptedOf({ answers }: QuestionExample): ReadonlySet<string> {
  return new Set(answers.map(normaliseAnswer));
}
