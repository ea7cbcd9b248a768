import type { Entity } from '../corpus/records.js';
import type { ImageInput } from '../encoders/encoder.js';
import { GranuleError } from '../errors.js';
import type { Generator } from '../generators/generator.js';
import type { EntityHit, EntityRetriever, PassageRetriever, Timings } from '../retrievers/retriever.js';
import type { MiRagOptions } from '../systems/mirag.js';
import type { CountryQuestion } from './countries/country-questions.js';
import { type AskedQuestion, ENTITY_DEPTH, scoreAnswer } from './score-answer.js';

/** A picture and a question about it. */
export interface DemoPair {
  readonly question: CountryQuestion;
  readonly picture: ImageInput;
}

/** What the four systems are made of. */
export interface DemoParts {
  /** The corpus's entities; the metadata of each names its `cca2`. */
  readonly entities: readonly Entity[];
  readonly withoutMaxSim: EntityRetriever;
  readonly withMaxSim: EntityRetriever;
  readonly passages: PassageRetriever;
  readonly generator: Generator;
}

/** Options of {@link evaluateDemo}. */
export interface EvaluateDemoOptions {
  /** Options of every system. */
  readonly mirag?: MiRagOptions;
  readonly signal?: AbortSignal;
  /** Called after each pair. */
  readonly onProgress?: (done: number, all: number) => void;
}

/** Means over all pairs, from 0 to 1. */
export interface SystemScores {
  readonly name: string;
  readonly entityP1: number;
  readonly entityMrr100: number;
  readonly passageP1: number;
  readonly passageP20: number;
  readonly exactMatch: number;
  readonly f1: number;
}

/** What {@link evaluateDemo} measured. */
export interface DemoEvaluation {
  readonly questions: number;
  readonly systems: readonly SystemScores[];
  /** Mean milliseconds per pair of what each system did, and the sum over everything as `totalMs`. */
  readonly timings: Timings;
}

/** The systems that are compared. */
export const DEMO_SYSTEMS = [
  'question alone',
  'entity, without MaxSim',
  'entity, with MaxSim',
  'gold entity',
] as const;

/**
 * Asks every question of four systems, which differ in how they come by the entity: not at all, by the picture without
 * and with late interaction, and by being told (the ceiling).
 *
 * - `entityP1`, `entityMrr100`: of the right country in the ranking of entities; for the question alone, in the order in
 *   which the entities first appear among the 100 best passages.
 * - `passageP1`, `passageP20`: of passages that hold an accepted answer as a string (pseudo-relevance, which also counts a
 *   passage about another country with the same answer), in the order of p(e | q) p(z | q, e) among 20 passages per
 *   query of the system, each passage once. Few passages hold an answer, so P@20 stays small even for the ceiling.
 * - `exactMatch`, `f1`: of the answer of the joint or the marginal rule, as `mirag.select` says.
 *
 * Each entity retriever is asked once per picture.
 *
 * @throws GranuleError `INVALID_ARGUMENT` where there is no pair or a country has no entity; `ABORTED`; what parts throw
 */
export async function evaluateDemo(
  pairs: readonly DemoPair[],
  parts: DemoParts,
  options: EvaluateDemoOptions = {},
): Promise<DemoEvaluation> {
  if (pairs.length === 0) throw new GranuleError('INVALID_ARGUMENT', 'there is no question to evaluate');
  const evaluation = new Evaluation(parts, options);
  const start = performance.now();
  for (const [i, pair] of pairs.entries()) {
    if (options.signal?.aborted) throw new GranuleError('ABORTED', 'the evaluation was aborted');
    await evaluation.take(pair);
    options.onProgress?.(i + 1, pairs.length);
  }
  return evaluation.result(pairs.length, performance.now() - start);
}

type Sums = { -readonly [Name in Exclude<keyof SystemScores, 'name'>]: number };

class Evaluation {
  readonly #parts: DemoParts;
  readonly #options: EvaluateDemoOptions;
  readonly #entities: ReadonlyMap<unknown, Entity>;
  readonly #sums = DEMO_SYSTEMS.map(
    (): Sums => ({ entityP1: 0, entityMrr100: 0, passageP1: 0, passageP20: 0, exactMatch: 0, f1: 0 }),
  );
  readonly #timings: Timings = {};

  constructor(parts: DemoParts, options: EvaluateDemoOptions) {
    this.#parts = parts;
    this.#options = options;
    this.#entities = new Map(parts.entities.map((entity) => [entity.metadata?.['cca2'], entity]));
  }

  async take({ question, picture }: DemoPair): Promise<void> {
    const gold = this.#entities.get(question.cca2);
    if (gold === undefined) {
      throw new GranuleError('INVALID_ARGUMENT', `the corpus has no entity for ${question.cca2}`, {
        cca2: question.cca2,
      });
    }
    const { withoutMaxSim, withMaxSim } = this.#parts;
    const lists: (EntityHit[] | undefined)[] = [
      undefined,
      await this.#timed('entitiesWithoutMaxSimMs', () => this.#retrieve(withoutMaxSim, picture)),
      await this.#timed('entitiesWithMaxSimMs', () => this.#retrieve(withMaxSim, picture)),
      [{ item: gold, score: 0, probability: 1 }],
    ];
    for (const [system, hits] of lists.entries())
      await this.#score(system, { question, picture, gold, hits });
  }

  result(questions: number, totalMs: number): DemoEvaluation {
    const mean = (sums: Timings) =>
      Object.fromEntries(Object.entries(sums).map(([name, sum]) => [name, sum / questions]));
    return {
      questions,
      systems: DEMO_SYSTEMS.map((name, i) => ({ name, ...(mean(this.#sums[i]!) as Sums) })),
      timings: { ...mean(this.#timings), totalMs },
    };
  }

  #retrieve(retriever: EntityRetriever, picture: ImageInput): Promise<EntityHit[]> {
    return retriever.retrieve(picture, { k: ENTITY_DEPTH, ...this.#abort() });
  }

  async #score(system: number, asked: AskedQuestion): Promise<void> {
    const scores = await scoreAnswer(asked, this.#parts, { ...this.#options, timings: this.#timings });
    const sums = this.#sums[system]!;
    for (const name of Object.keys(sums) as (keyof Sums)[]) sums[name] += scores[name];
  }

  async #timed<T>(name: string, work: () => Promise<T>): Promise<T> {
    const start = performance.now();
    const result = await work();
    this.#timings[name] = (this.#timings[name] ?? 0) + performance.now() - start;
    return result;
  }

  #abort(): { readonly signal?: AbortSignal } {
    return this.#options.signal === undefined ? {} : { signal: this.#options.signal };
  }
}
