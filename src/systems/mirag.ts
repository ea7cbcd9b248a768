import type { MetadataFilter } from '../corpus/filter/metadata-filter.js';
import type { Entity } from '../corpus/records.js';
import type { ImageInput } from '../encoders/encoder.js';
import { GranuleError } from '../errors.js';
import type { Generator } from '../generators/generator.js';
import { normaliseAnswer } from '../generators/normalise-answer.js';
import { PASSAGE_TEMPERATURE } from '../retrievers/dense-passage-retriever.js';
import type {
  EntityHit,
  EntityRetriever,
  PassageRetriever,
  RetrieveOptions,
  Timings,
} from '../retrievers/retriever.js';
import { logSumExp } from '../vectors/log-sum-exp.js';
import type { AnswerVote, MiRagAnswer, MiRagPassage } from './mirag-answer.js';
import type { MiRagPath, MiRagSelection } from './mirag-path.js';
import type { TraceStep } from './mirag-trace.js';

/** The parts of a {@link MiRag} system. */
export interface MiRagParts {
  /** Needed for questions about pictures only. */
  readonly entities?: EntityRetriever;
  readonly passages: PassageRetriever;
  readonly generator: Generator;
}

/** Options of {@link MiRag}; each may be overridden per question. */
export interface MiRagOptions {
  /** K, the entities that the picture may show; default 3. */
  readonly entityCount?: number;
  /** M, the passages per expanded question; default 5. */
  readonly passageCount?: number;
  /** Which rule's answer is the answer; default `joint`. Both are reported. */
  readonly select?: MiRagSelection;
  /** Temperature of the softmax over the passages of all entities; default `PASSAGE_TEMPERATURE`. */
  readonly passageTemperature?: number;
}

/** Options of {@link MiRag.ask}. */
export interface MiRagAskOptions extends MiRagOptions {
  /** Only entities and passages that have such metadata; a given entity is taken as it is. */
  readonly filter?: MetadataFilter;
  readonly signal?: AbortSignal;
  /** Called with each step of the trace as soon as it is done. What it throws ends the question. */
  readonly onStep?: (step: TraceStep) => void;
}

/** A question, with a picture, with the entity that it is about, or alone. */
export interface MiRagQuestion {
  readonly question: string;
  readonly image?: ImageInput;
  /** The entity, where it is known: the picture is not looked at then. */
  readonly entity?: Entity;
}

/**
 * MiRAG: from a picture and a question to an answer, by the likeliest path through entity and passage.
 *
 * 1. Entities: the K entities that the picture may show; p(e | q) is the softmax over them. The retriever is told the question; those
 *    that find entities by images alone leave it alone.
 * 2. Expansion: the question with each entity's title, `question + " " + title`.
 * 3. Passages: the M best for each expanded question; p(z | q, e) = softmax of score / temperature over all K x M. A
 *    passage that two entities bring counts as two.
 * 4. Answers: p(a | q, z) from the generator, which reads the question as it was asked.
 * 5. Selection: `joint` takes the largest p(e | q) p(z | q, e) p(a | q, z) of all paths; `marginal` sums that product over
 *    all paths whose answers are equal after `normaliseAnswer` and takes the largest sum.
 *
 * Without a picture the question is searched as it stands and p(e | q) is 1; with a given entity K is 1 and p(e | q) is 1.
 */
export class MiRag {
  readonly #parts: MiRagParts;
  readonly #options: MiRagOptions;

  constructor(parts: MiRagParts, options: MiRagOptions = {}) {
    this.#parts = parts;
    this.#options = options;
    checked(options);
  }

  /**
   * Answers a question.
   *
   * @throws GranuleError `INVALID_ARGUMENT` (a blank question; a picture where no entities can be retrieved),
   * `K_OUT_OF_RANGE`, `TEMPERATURE_INVALID`, `ABORTED`, and what the parts throw
   */
  async ask(asked: MiRagQuestion, options: MiRagAskOptions = {}): Promise<MiRagAnswer> {
    const { question } = asked;
    if (question.trim() === '') throw new GranuleError('INVALID_ARGUMENT', 'the question is blank');
    const { entityCount, passageCount, select, passageTemperature } = checked({
      ...this.#options,
      ...options,
    });
    const { filter, signal, onStep } = options;
    const timings: Timings = {};
    const trace: TraceStep[] = [];
    const record = (step: TraceStep) => {
      trace.push(step);
      onStep?.(step);
    };
    const start = performance.now();

    const entities = await this.#entities(
      asked,
      { k: entityCount, filter, question, ...withSignal(signal) },
      timings,
    );
    const source = asked.entity ? 'given' : asked.image === undefined ? 'none' : 'picture';
    record({
      step: 'entities',
      source,
      found: entities.map(({ item, probability }) => ({ id: item.id, title: item.title, probability })),
    });
    timings['entities'] = performance.now() - start;

    const queries = source === 'none' ? [question] : entities.map(({ item }) => `${question} ${item.title}`);
    record({ step: 'expansion', queries });

    const passageStart = performance.now();
    const retrieved = await this.#passages(
      queries,
      source !== 'none',
      { k: passageCount, filter, ...withSignal(signal) },
      passageTemperature,
      timings,
    );
    const priors = retrieved.map(
      ({ entity, probability }) => (entity === undefined ? 1 : entities[entity]!.probability) * probability,
    );
    const order = retrieved.map((_, i) => i).sort((a, b) => priors[b]! - priors[a]! || a - b);
    record({
      step: 'passages',
      found: order.map((i) => ({ id: retrieved[i]!.passage.id, probability: retrieved[i]!.probability })),
    });
    const answerStart = performance.now();
    timings['passages'] = answerStart - passageStart;

    const { generator } = this.#parts;
    const ranked = order.map((i) => retrieved[i]!);
    const answers = await this.#answers(question, ranked, signal);
    const passages = ranked.map((passage, i) => ({ ...passage, answers: answers[i]! }));
    record({ step: 'answers', generator: generator.name, found: firstAnswers(passages) });
    const selectionStart = performance.now();
    timings['answers'] = selectionStart - answerStart;

    const paths = pathsOf(entities, passages);
    const votes = votesOf(paths);
    const joint = paths.reduce<MiRagPath | null>(
      (best, path) => (best === null || path.logJoint > best.logJoint ? path : best),
      null,
    );
    const marginal = votes[0] ?? null;
    const selected = select === 'joint' ? joint : (marginal?.best ?? null);
    const other = select === 'joint' ? marginal?.best : joint;
    const entity = selected?.entity === undefined ? null : entities[selected.entity]!.item;
    const passage = selected === null ? null : passages[selected.passage]!.passage;
    record({
      step: 'selection',
      by: select,
      answer: selected?.answer.text ?? null,
      entity: entity?.id ?? null,
      passage: passage?.id ?? null,
      probabilities: selected?.probabilities ?? null,
      otherwise: selected && other && differ(selected, other) ? other.answer.text : null,
    });
    timings['selection'] = performance.now() - selectionStart;
    timings['total'] = performance.now() - start;
    return {
      question,
      answer: selected?.answer.text ?? null,
      select,
      entity,
      passage,
      span: selected?.answer.span ?? null,
      probabilities: selected?.probabilities ?? null,
      joint,
      marginal,
      votes,
      entities,
      passages,
      timings,
      trace,
    };
  }

  async #entities(
    { image, entity }: MiRagQuestion,
    options: RetrieveOptions,
    timings: Timings,
  ): Promise<EntityHit[]> {
    if (entity !== undefined) return [{ item: entity, score: 0, probability: 1 }];
    if (image === undefined) return [];
    if (this.#parts.entities === undefined) {
      throw new GranuleError('INVALID_ARGUMENT', 'a question about a picture needs an entity retriever');
    }
    return this.#parts.entities.retrieve(image, options, timings);
  }

  async #passages(
    queries: readonly string[],
    expanded: boolean,
    options: RetrieveOptions,
    temperature: number,
    timings: Timings,
  ): Promise<Omit<MiRagPassage, 'answers'>[]> {
    if (queries.length === 0) return [];
    const lists = await this.#parts.passages.retrieve(queries, options, timings);
    const hits = lists.flatMap((list, query) => list.map((hit) => ({ hit, query })));
    const logMass = logSumExp(hits.map(({ hit }) => hit.score / temperature));
    return hits.map(({ hit, query }) => ({
      passage: hit.item,
      entity: expanded ? query : undefined,
      score: hit.score,
      probability: Math.exp(hit.score / temperature - logMass),
    }));
  }

  /** Reads each passage once, though several entities may have brought it. */
  async #answers(
    question: string,
    ranked: readonly Omit<MiRagPassage, 'answers'>[],
    signal: AbortSignal | undefined,
  ) {
    const distinct = [...new Map(ranked.map(({ passage }) => [passage.id, passage])).values()];
    const generated = await this.#parts.generator.generate(question, distinct, withSignal(signal));
    const byId = new Map(distinct.map(({ id }, i) => [id, generated[i]!]));
    return ranked.map(({ passage }) => byId.get(passage.id)!);
  }
}

function withSignal(signal: AbortSignal | undefined): { readonly signal?: AbortSignal } {
  if (signal?.aborted)
    throw new GranuleError('ABORTED', 'the question was aborted', {}, { cause: signal.reason });
  return signal === undefined ? {} : { signal };
}

function checked(options: MiRagOptions): Required<MiRagOptions> {
  const {
    entityCount = 3,
    passageCount = 5,
    select = 'joint',
    passageTemperature = PASSAGE_TEMPERATURE,
  } = options;
  for (const [name, count] of Object.entries({ entityCount, passageCount })) {
    if (!Number.isSafeInteger(count) || count < 1) {
      throw new GranuleError('K_OUT_OF_RANGE', `${name} must be a positive integer, got ${count}`, {
        [name]: count,
      });
    }
  }
  if (!(Number.isFinite(passageTemperature) && passageTemperature > 0)) {
    throw new GranuleError(
      'TEMPERATURE_INVALID',
      `passageTemperature must be finite and above 0, got ${passageTemperature}`,
      { passageTemperature },
    );
  }
  if (select !== 'joint' && select !== 'marginal') {
    throw new GranuleError('INVALID_ARGUMENT', `select must be "joint" or "marginal", got ${String(select)}`);
  }
  return { entityCount, passageCount, select, passageTemperature };
}

function firstAnswers(passages: readonly MiRagPassage[]) {
  return passages.flatMap(({ passage, answers: [first] }) =>
    first === undefined
      ? []
      : [{ passage: passage.id, text: first.text, probability: Math.exp(first.logProbability) }],
  );
}

/** Every path, in the order of passages and answers. */
function pathsOf(entities: readonly EntityHit[], passages: readonly MiRagPassage[]): MiRagPath[] {
  return passages.flatMap(({ entity: number, probability, answers }, passage) =>
    answers.map((answer) => {
      const entity = number === undefined ? 1 : entities[number]!.probability;
      const logJoint = Math.log(entity) + Math.log(probability) + answer.logProbability;
      const probabilities = {
        entity,
        passage: probability,
        answer: Math.exp(answer.logProbability),
        joint: Math.exp(logJoint),
      };
      return { answer, passage, entity: number, probabilities, logJoint };
    }),
  );
}

function votesOf(paths: readonly MiRagPath[]): AnswerVote[] {
  const groups = new Map<string, MiRagPath[]>();
  for (const path of paths) {
    const text = normaliseAnswer(path.answer.text);
    groups.set(text, [...(groups.get(text) ?? []), path]);
  }
  return [...groups.values()]
    .map((group) => {
      const best = group.reduce((a, b) => (b.logJoint > a.logJoint ? b : a));
      return {
        text: best.answer.text,
        logProbability: logSumExp(group.map(({ logJoint }) => logJoint)),
        paths: group.length,
        best,
      };
    })
    .sort((a, b) => (b.logProbability > a.logProbability ? 1 : b.logProbability < a.logProbability ? -1 : 0));
}

function differ(a: MiRagPath, b: MiRagPath): boolean {
  return normaliseAnswer(a.answer.text) !== normaliseAnswer(b.answer.text);
}
