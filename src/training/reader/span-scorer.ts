import { CANDIDATE_FEATURES } from '../../generators/extractive/candidate-features.js';
import { NULL_FEATURES } from '../../generators/extractive/read-passage.js';
import { READER_WEIGHTS, type ReaderWeights } from '../../generators/extractive/reader-weights.js';
import { checkKeys } from '../../index/arguments.js';
import { type Matrix, matrix } from '../../vectors/matrix.js';
import { namedParameters, type Parameter } from '../towers/parameter.js';
import { type ForwardOptions, Tower } from '../towers/tower.js';
import type { SpanReading } from './span-reading.js';
import { type SpanScorerShape, spanScorerTowers } from './span-scorer-shape.js';
import { SpanScores } from './span-scores.js';

/** Options of {@link SpanScorer.create}. */
export interface SpanScorerOptions {
  /** Of the random numbers; 0 by default. */
  readonly seed?: number | string | undefined;
  /** Where w and u begin; the built-in reader's weights by default. */
  readonly weights?: ReaderWeights | undefined;
  /** Stops the work. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * The trainable part of an extractive reader: scores of the candidate answers of a passage, whose softmax is p(a | q, z).
 *
 * Parameters: `candidate.weight` w [1, 45] and `none.weight` u [1, 4]; of an mlp `hidden.hidden.weight` W, `hidden.hidden.bias` b,
 * `hidden.output.weight` v and `hidden.output.bias` d too. float32 as towers are, with the same bits for every number of threads and on every
 * machine.
 *
 * @example
 * ```ts
 * const scorer = await SpanScorer.create({ kind: 'mlp', hidden: 16 }, { seed: 1 });
 * await trainSpanScorer(scorer, [
 *   { question: 'What is the capital?', passage: 'Aland. The capital of Aland is Foo.', answers: ['Foo'] },
 * ]);
 * const reader = new TrainedReader({ shape: scorer.shape, values: scorer.values });
 * ```
 */
export class SpanScorer {
  /** As it was given. */
  readonly shape: SpanScorerShape;
  /** By name. */
  readonly parameters: ReadonlyMap<string, Parameter>;
  readonly #candidate: Tower;
  readonly #none: Tower;
  readonly #hidden: Tower | undefined;

  private constructor(shape: SpanScorerShape, candidate: Tower, none: Tower, hidden: Tower | undefined) {
    this.shape = shape;
    this.#candidate = candidate;
    this.#none = none;
    this.#hidden = hidden;
    this.parameters = namedParameters({ candidate, none, ...(hidden && { hidden }) });
  }

  /**
   * A scorer to train: w and u are those of `weights`; W is random, b, v and d are 0, so that both kinds begin as the reader with those weights.
   *
   * @throws GranuleError `INVALID_ARGUMENT`, `DIMENSION_INVALID`, `OUT_OF_MEMORY`, `ABORTED`
   */
  static async create(shape: SpanScorerShape, options: SpanScorerOptions = {}): Promise<SpanScorer> {
    checkKeys(options, ['seed', 'weights', 'signal']);
    const { seed = 0, weights = READER_WEIGHTS, signal } = options;
    const towers = spanScorerTowers(shape);
    const hidden = towers.hidden && (await Tower.create(towers.hidden, { seed, signal }));
    if (hidden !== undefined) hidden.parameters.get('output.weight')!.values.fill(0);
    return new SpanScorer(
      Object.freeze({ ...shape }),
      Tower.from(towers.candidate!, {
        weight: Float32Array.from(CANDIDATE_FEATURES, (name) => weights.candidate[name]),
      }),
      Tower.from(towers.none!, { weight: Float32Array.from(NULL_FEATURES, (name) => weights.none[name]) }),
      hidden,
    );
  }

  /**
   * A scorer with given parameters.
   *
   * @param values - one array per parameter of the shape, by name; they become the scorer's own
   * @throws GranuleError `INVALID_ARGUMENT`, `DIMENSION_INVALID`, `LENGTH_MISMATCH`, `OUT_OF_MEMORY`
   */
  static from(shape: SpanScorerShape, values: Readonly<Record<string, Float32Array>>): SpanScorer {
    const towers = Object.entries(spanScorerTowers(shape));
    const of = (owner: string): Record<string, Float32Array> =>
      Object.fromEntries(
        Object.entries(values).flatMap(([name, data]) =>
          name.startsWith(`${owner}.`) ? [[name.slice(owner.length + 1), data]] : [],
        ),
      );
    checkKeys(
      Object.fromEntries(Object.keys(values).map((name) => [name.split('.', 1)[0], true])),
      towers.map(([owner]) => owner),
    );
    const made = Object.fromEntries(towers.map(([owner, tower]) => [owner, Tower.from(tower, of(owner))]));
    return new SpanScorer(Object.freeze({ ...shape }), made['candidate']!, made['none']!, made['hidden']);
  }

  /** The numbers of the parameters, by name: what `SpanScorer.from` takes. The arrays are the scorer's own. */
  get values(): Record<string, Float32Array> {
    return Object.fromEntries([...this.parameters].map(([name, { values }]) => [name, values]));
  }

  /**
   * Scores the candidates of passages that were read, and keeps what the backward pass needs.
   *
   * @throws GranuleError `INVALID_ARGUMENT`, `OUT_OF_MEMORY`, `NOT_FINITE`, `ABORTED`
   */
  async score(readings: readonly SpanReading[], options: ForwardOptions = {}): Promise<SpanScores> {
    const features = joined(
      readings.map((reading) => reading.features),
      CANDIDATE_FEATURES.length,
    );
    const nullFeatures = joined(
      readings.map((reading) => reading.nullFeatures),
      NULL_FEATURES.length,
    );
    const [candidate, hidden, none] = await Promise.all([
      this.#candidate.forward(features, options),
      this.#hidden?.forward(features, options),
      this.#none.forward(nullFeatures, options),
    ]);
    const lengths = readings.map(({ candidates }) => candidates.length);
    return new SpanScores(lengths, hidden === undefined ? [candidate] : [candidate, hidden], none);
  }

  /** Sets all gradients to 0. */
  zeroGradients(): void {
    for (const { gradient } of this.parameters.values()) gradient.fill(0);
  }
}

function joined(parts: readonly Float32Array[], columns: number): Matrix {
  const data = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    data.set(part, at);
    at += part.length;
  }
  return matrix(data, columns);
}
