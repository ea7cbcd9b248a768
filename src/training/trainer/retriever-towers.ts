import type { Matrix } from '../../vectors/matrix.js';
import type { TowerStart } from '../towers/initial-parameters.js';
import type { PassOptions } from '../towers/native-tower.js';
import { namedParameters, type Parameter, zeroParameter } from '../towers/parameter.js';
import { Tower } from '../towers/tower.js';
import type { TowerPass } from '../towers/tower-pass.js';
import type { TowerShape } from '../towers/tower-shape.js';

/** The name of the temperature's logarithm among the parameters. */
export const LOG_TEMPERATURE = 'log_temperature';

/** A temperature that learns does not go below this: at 0.01 gradients are already a hundred times those at 1. */
export const LEAST_TEMPERATURE = 0.01;
/** Nor above this, at which all documents are alike probable; what goes beyond by far has diverged, and shows elsewhere too. */
const MOST_TEMPERATURE = 1e6;

/** The trainable parts of a retriever: score = <query tower(q), document tower(d)> / temperature. */
export class RetrieverTowers {
  readonly query: Tower;
  /** Undefined where documents stay as they are. */
  readonly document: Tower | undefined;
  /** All that is trained, `query.weight` and so on, with the temperature's logarithm. */
  readonly parameters: ReadonlyMap<string, Parameter>;
  readonly #logTemperature: Parameter;
  readonly #learnsTemperature: boolean;

  private constructor(query: Tower, document: Tower | undefined, temperature: number, learns: boolean) {
    this.query = query;
    this.document = document;
    this.#learnsTemperature = learns;
    this.#logTemperature = zeroParameter([1]);
    this.#logTemperature.values[0] = Math.log(temperature);
    const owners = document === undefined ? { query } : { query, document };
    this.parameters = namedParameters(owners).set(LOG_TEMPERATURE, this.#logTemperature);
  }

  /** @throws GranuleError as `Tower.create` */
  static async create(
    shapes: { readonly query: TowerShape; readonly document: TowerShape | undefined },
    options: {
      readonly seed: number | string;
      readonly temperature: number;
      readonly learnTemperature: boolean;
      readonly signal: AbortSignal | undefined;
    },
  ): Promise<RetrieverTowers> {
    const { seed, temperature, learnTemperature, signal } = options;
    const tower = (shape: TowerShape, side: string) =>
      Tower.create(shape, { seed: `${seed}/${side}`, start: startOf(shape), signal });
    const query = await tower(shapes.query, 'query');
    const document = shapes.document && (await tower(shapes.document, 'document'));
    return new RetrieverTowers(query, document, temperature, learnTemperature);
  }

  /** t. */
  get temperature(): number {
    return Math.exp(this.#logTemperature.values[0]!);
  }

  /** Names of parameters that do not decay. */
  get withoutDecay(): string[] {
    return [...this.parameters.keys()].filter((name) => name === LOG_TEMPERATURE || name.endsWith('bias'));
  }

  zeroGradients(): void {
    for (const { gradient } of this.parameters.values()) gradient.fill(0);
  }

  addLogTemperatureGradient(slope: number): void {
    if (this.#learnsTemperature) this.#logTemperature.gradient[0]! += slope;
  }

  /** Brings a temperature that a step took too low or too high back. */
  boundTemperature(): void {
    const values = this.#logTemperature.values;
    if (this.#learnsTemperature)
      values[0] = Math.min(Math.max(values[0]!, Math.log(LEAST_TEMPERATURE)), Math.log(MOST_TEMPERATURE));
  }

  /** Copies of all parameters. */
  values(): Map<string, Float32Array> {
    return new Map([...this.parameters].map(([name, { values }]) => [name, values.slice()]));
  }

  /** Takes the place of all parameters. */
  setValues(values: ReadonlyMap<string, Float32Array>): void {
    for (const [name, parameter] of this.parameters) parameter.values.set(values.get(name)!);
  }

  encodeQueries(vectors: Matrix, options: PassOptions): Promise<Matrix> {
    return this.query.encode(vectors, options);
  }

  async encodeDocuments(vectors: Matrix, options: PassOptions): Promise<Matrix> {
    return this.document === undefined ? vectors : this.document.encode(vectors, options);
  }

  /** Vectors of documents with what a backward pass needs; without one where documents stay as they are. */
  async forwardDocuments(
    vectors: Matrix,
    options: PassOptions,
  ): Promise<{ readonly outputs: Matrix; readonly pass?: TowerPass<Matrix> }> {
    if (this.document === undefined) return { outputs: vectors };
    const pass = await this.document.forward(vectors, options);
    return { outputs: pass.outputs, pass };
  }
}

/** A retriever begins as the one whose embeddings it maps, wherever a tower can be the identity. */
function startOf(shape: TowerShape): TowerStart {
  return shape.kind === 'linear' && shape.input === shape.output ? 'identity' : 'random';
}
