import { EventLoopTurns } from '../../approximate/event-loop-turns.js';
import type { TextEncoder } from '../../encoders/encoder.js';
import { GranuleError } from '../../errors.js';
import { likeliestAnswers } from '../../generators/extractive/likeliest-answers.js';
import { checkKeys, checkTemperature, show } from '../../index/arguments.js';
import { matrix } from '../../vectors/matrix.js';
import { PassageReadings } from '../reader/passage-readings.js';
import type { SpanReading } from '../reader/span-reading.js';
import type { SpanScorer } from '../reader/span-scorer.js';
import { checkCount } from '../run/check-count.js';
import type { Parameter } from '../towers/parameter.js';
import type { ForwardOptions, Tower } from '../towers/tower.js';
import { FrozenTexts } from './frozen-texts.js';
import {
  JOINT_PARTS,
  type JointExample,
  type JointKnowledge,
  type JointPart,
  type JointQuestion,
} from './joint-knowledge.js';
import { type JointLoss, type JointObjectiveOptions, jointObjective } from './joint-objective.js';
import { type JointPaths, type JointTemperatures, logPriors, questionPaths } from './joint-paths.js';
import { TowerSearch } from './tower-search.js';

/** The parts of a {@link JointModel}. */
export interface JointModelParts {
  /** Maps a picture's frozen features to where titles are. */
  readonly entity: Tower;
  /** Maps frozen vectors of expanded questions to where passages are. */
  readonly query: Tower;
  readonly reader: SpanScorer;
  /** Frozen: vectors of expanded questions. */
  readonly encoder: Pick<TextEncoder, 'dimension' | 'encodeQueries'>;
}

/** Options of {@link JointModel.create}. */
export interface JointModelOptions {
  /** K, the entities that a picture may show; 3 by default. */
  readonly entityCount?: number | undefined;
  /** M, the passages per expanded question; 5 by default. */
  readonly passageCount?: number | undefined;
  /** Of the softmax over entities; 0.1 by default. The paper's 1 is nearly uniform over unit vectors. */
  readonly entityTemperature?: number | undefined;
  /** Of the softmax over passages; 0.1 by default. */
  readonly passageTemperature?: number | undefined;
  /** Where passages are read; those of another model serve where questions and passages are the same. The model's own by default. */
  readonly readings?: PassageReadings | undefined;
  /** Stops the work. */
  readonly signal?: AbortSignal | undefined;
}

/** Options of {@link JointModel.learn}. */
export interface JointLearnOptions extends JointObjectiveOptions, ForwardOptions {
  /** The parts that get gradients; all by default. */
  readonly trained?: readonly JointPart[] | undefined;
}

/** The likeliest path of a question. */
export interface JointAnswer {
  /** null where no passage gave an answer. */
  readonly answer: string | null;
  /** Row of its entity. */
  readonly entity: number;
  /** Row of its passage. */
  readonly passage: number;
  /** ln p(e | q) + ln p(z | q, e) + ln p(a | q, z); -Infinity without an answer. */
  readonly logProbability: number;
}

/**
 * MiRAG over frozen features, whose three parts learn together from questions and answers alone:
 *
 *     1. entities:  the K titles with the greatest <entity tower(picture), title>            p(e | q): softmax over the K
 *     2. expansion: the frozen vector of `question + " " + title`
 *     3. passages:  the M with the greatest <query tower(vector), passage>, for each entity   p(z | q, e): softmax over all K M
 *     4. reader:    p(a | q, z) of the question as it was asked
 *
 * Both searches are exact and are done anew with the towers of the moment; titles and passages stay as they are, so no index is built
 * again. A passage's score is that of the expanded query that found it, and its gradient goes to that query. (MiRAG's released code scores
 * passages with the question as asked.) Which rows are found counts as constant.
 *
 * The same bits on every number of threads.
 */
export class JointModel implements Disposable {
  readonly parts: JointModelParts;
  readonly knowledge: JointKnowledge;
  readonly temperatures: JointTemperatures;
  /** K and M. */
  readonly counts: { readonly entityCount: number; readonly passageCount: number };
  readonly #entities: TowerSearch;
  readonly #passages: TowerSearch;
  readonly #texts: FrozenTexts;
  readonly #readings: PassageReadings;

  private constructor(
    parts: JointModelParts,
    knowledge: JointKnowledge,
    searches: readonly [TowerSearch, TowerSearch],
    options: JointModelOptions,
  ) {
    this.parts = parts;
    this.knowledge = knowledge;
    [this.#entities, this.#passages] = searches;
    this.#texts = new FrozenTexts(parts.encoder);
    this.#readings = options.readings ?? new PassageReadings();
    this.counts = {
      entityCount: checkCount(options.entityCount ?? 3, 'entityCount'),
      passageCount: checkCount(options.passageCount ?? 5, 'passageCount'),
    };
    this.temperatures = {
      entityTemperature: checkTemperature(options.entityTemperature ?? 0.1),
      passageTemperature: checkTemperature(options.passageTemperature ?? 0.1),
    };
  }

  /**
   * Indexes what is retrieved.
   *
   * @throws GranuleError `INVALID_ARGUMENT`, `LENGTH_MISMATCH`, `TEMPERATURE_INVALID`, `NOT_FINITE`, `OUT_OF_MEMORY`, `ABORTED`
   */
  static async create(
    knowledge: JointKnowledge,
    parts: JointModelParts,
    options: JointModelOptions = {},
  ): Promise<JointModel> {
    checkKeys(options, [
      ...['entityCount', 'passageCount', 'entityTemperature', 'passageTemperature', 'readings', 'signal'],
    ]);
    const { entities, titles, passages, texts } = knowledge;
    checkEqual(titles.length, entities.rows, 'titles');
    checkEqual(texts.length, passages.rows, 'texts');
    checkEqual(parts.query.input, parts.encoder.dimension, 'inputs of the query tower');
    const searches = await Promise.all([
      TowerSearch.create(parts.entity, entities, options.signal),
      TowerSearch.create(parts.query, passages, options.signal),
    ]);
    return new JointModel(parts, knowledge, searches, options);
  }

  /** The parameters of some parts, each by the part's name and its own: `query.weight`. */
  parameters(parts: readonly JointPart[] = JOINT_PARTS): Map<string, Parameter> {
    checkParts(parts);
    return new Map(
      parts.flatMap((part) =>
        [...this.parts[part].parameters].map(([name, parameter]) => [`${part}.${name}`, parameter] as const),
      ),
    );
  }

  /**
   * Finds entities and passages of questions with the towers of the moment, and reads the passages.
   *
   * @throws GranuleError `INVALID_ARGUMENT`, `LENGTH_MISMATCH`, `K_OUT_OF_RANGE`, `NOT_FINITE`, `INDEX_DISPOSED`, `ABORTED`, and what the
   * encoder throws
   */
  async find(questions: readonly JointQuestion[], options: ForwardOptions = {}): Promise<JointPaths> {
    const { input } = this.parts.entity;
    const pictures = new Float32Array(questions.length * input);
    for (const [n, { picture }] of questions.entries()) {
      checkEqual(picture.length, input, `numbers of picture ${n}`);
      pictures.set(picture, n * input);
    }
    const { entityCount: K, passageCount: M } = this.counts;
    const entities = await this.#entities.search(matrix(pictures, input), K, options);
    const expanded = Array.from(
      entities.rows,
      (row, i) => `${questions[Math.floor(i / K)]!.question} ${this.knowledge.titles[row]!}`,
    );
    const vectors = await this.#texts.vectorsOf(expanded, options.signal);
    const passages = await this.#passages.search(vectors, M, options);
    const turns = new EventLoopTurns(options.signal);
    const readings: SpanReading[] = [];
    for (const [path, row] of passages.rows.entries()) {
      if (turns.over) await turns.pass();
      const { question } = questions[Math.floor(path / (K * M))]!;
      readings.push(this.#readings.read(question, this.knowledge.texts[row]!));
    }
    const spans = await this.parts.reader.score(readings, options);
    return {
      questions: questions.length,
      entityCount: K,
      passageCount: M,
      entities,
      passages,
      readings,
      spans,
    };
  }

  /**
   * Finds the paths of examples and adds the gradients of the objective, `jointObjective`, to the parameters of the parts that are
   * trained. Parts that are not keep their gradients as they are.
   *
   * @throws GranuleError as {@link find}
   */
  async learn(examples: readonly JointExample[], options: JointLearnOptions = {}): Promise<JointLoss> {
    const { trained = JOINT_PARTS, threads, signal, ...objective } = options;
    checkParts(trained);
    const running = { threads, signal };
    const paths = await this.find(examples, running);
    const { entities, passages, spans, ...loss } = jointObjective(
      paths,
      examples,
      this.temperatures,
      objective,
    );
    if (trained.includes('entity')) await paths.entities.backward(entities, running);
    if (trained.includes('query')) await paths.passages.backward(passages, running);
    if (trained.includes('reader')) await paths.spans.backward(spans, running);
    return loss;
  }

  /**
   * Answers questions by their likeliest path, argmax of p(e | q) p(z | q, e) p(a | q, z).
   *
   * @throws GranuleError as {@link find}
   */
  async answer(questions: readonly JointQuestion[], options: ForwardOptions = {}): Promise<JointAnswer[]> {
    const paths = await this.find(questions, options);
    const { entityCount: K, passageCount: M } = paths;
    return questions.map((_, n) => {
      const found = questionPaths(paths, n);
      const priors = logPriors(found, this.temperatures);
      let best = {
        answer: null as string | null,
        path: found.first,
        logProbability: Number.NEGATIVE_INFINITY,
      };
      for (let path = found.first; path < found.first + K * M; path++) {
        const scores = paths.spans.scores[path]!;
        const [first] = likeliestAnswers(paths.readings[path]!.candidates, scores.subarray(1), scores[0]!, 1);
        if (first === undefined) continue;
        const logProbability = priors[path - found.first]! + first.logProbability;
        if (logProbability > best.logProbability) best = { answer: first.text, path, logProbability };
      }
      return {
        answer: best.answer,
        entity: paths.entities.rows[Math.floor(best.path / M)]!,
        passage: paths.passages.rows[best.path]!,
        logProbability: best.logProbability,
      };
    });
  }

  /** Frees the indexes. */
  dispose(): void {
    this.#entities.dispose();
    this.#passages.dispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}

/** @throws GranuleError `INVALID_ARGUMENT` for what is no part, or one twice */
function checkParts(parts: readonly JointPart[]): void {
  const wrong = parts.find((part, i) => !JOINT_PARTS.includes(part) || parts.indexOf(part) !== i);
  if (wrong !== undefined) {
    throw new GranuleError(
      'INVALID_ARGUMENT',
      `parts must be some of ${JOINT_PARTS.join(', ')}, each once, got ${show(wrong)}`,
    );
  }
}

function checkEqual(found: number, expected: number, name: string): void {
  if (found !== expected) {
    throw new GranuleError('LENGTH_MISMATCH', `there are ${found} ${name}, and ${expected} are needed`, {
      length: found,
      expected,
    });
  }
}
