import { GranuleError } from '../../errors.js';
import { checkFloat32, checkKeys, checkSignal, checkThreads, show } from '../../index/arguments.js';
import { initialParameters, type TowerStart } from './initial-parameters.js';
import { NativeTower, type PassOptions } from './native-tower.js';
import { numbers, type Parameter } from './parameter.js';
import { TowerPass } from './tower-pass.js';
import { checkTowerShape, type TowerShape, towerTensors } from './tower-shape.js';
import { arrangedAs, checkTowerVectors, type Mapped, type TowerVectors } from './tower-vectors.js';
import { checkWorkspace, type Workspace } from './workspace.js';

/** Options of {@link Tower.create}. */
export interface TowerOptions {
  /** Of the random numbers; 0 by default. A seed gives the same weights on every machine. */
  readonly seed?: number | string | undefined;
  /** `random` by default. */
  readonly start?: TowerStart | undefined;
  /** Stops the work. */
  readonly signal?: AbortSignal | undefined;
}

/** Options of {@link Tower.encode} and {@link Tower.forward}. */
export interface ForwardOptions {
  /** Most threads; 0, the default, means one per core. Results do not depend on it. */
  readonly threads?: number | undefined;
  /** Where the results lie; by default in memory of their own. */
  readonly workspace?: Workspace | undefined;
  /** Stops the work. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * A trainable map over frozen vectors: linear, low-rank around the identity, or with one hidden layer, then divided by its norm. Of a
 * ragged matrix each vector, a token's or a patch's, is mapped alone.
 *
 * float32; the same bits for every number of threads and on every machine. Sums of products are chains of fused multiply-adds in
 * ascending order, norms and sums over rows are float64.
 *
 * @example
 * ```ts
 * const tower = await Tower.create({ kind: 'low-rank', dimension: 4, rank: 2 }, { seed: 1 });
 * const optimiser = new AdamW(tower.parameters, { learningRate: 1e-3 });
 * const pass = await tower.forward(matrix(Float32Array.of(1, 2, 3, 4), 4));
 * await pass.backward(matrix(Float32Array.of(0, 1, 0, 0), 4)); // dL/dy: the second number shall shrink
 * const { gradientNorm } = await optimiser.step({ clip: 1 });
 * tower.zeroGradients();
 * ```
 */
export class Tower {
  /** As it was given. */
  readonly shape: TowerShape;
  /** By name, in the order of {@link TowerShape}'s. */
  readonly parameters: ReadonlyMap<string, Parameter>;
  readonly #native: NativeTower;

  private constructor(shape: TowerShape, parameters: ReadonlyMap<string, Parameter>) {
    this.shape = shape;
    this.parameters = parameters;
    this.#native = new NativeTower(shape, checkTowerShape(shape), parameters);
  }

  /**
   * A tower to train. Biases begin at 0; weights [to, from] are uniform from -a to a:
   *
   *     linear  weight          a = sqrt(6 / (from + to))     Glorot and Bengio, "Understanding the difficulty of training deep
   *     mlp     output.weight       the same                  feedforward neural networks", 2010
   *     mlp     hidden.weight   a = sqrt(6 / from)            He et al., "Delving deep into rectifiers", 2015
   *     low-rank  down          a = sqrt(3 / from)            variance 1 / from
   *     low-rank  up, residual mlp  output.weight: 0          so that both begin as the identity, as in Hu et al., "LoRA", 2022
   *
   * With `start: 'identity'` a linear tower whose input is as long as its output begins as the identity too.
   *
   * @throws GranuleError `INVALID_ARGUMENT`, `DIMENSION_INVALID`, `OUT_OF_MEMORY`, `ABORTED`
   */
  static async create(shape: TowerShape, options: TowerOptions = {}): Promise<Tower> {
    checkKeys(options, ['seed', 'start', 'signal']);
    const { seed = 0, start = 'random' } = options;
    checkTowerShape(shape);
    if (typeof seed !== 'string' && !Number.isFinite(seed)) {
      throw new GranuleError('INVALID_ARGUMENT', `seed must be a number or a text, got ${show(seed)}`);
    }
    if (start !== 'random' && start !== 'identity') {
      throw new GranuleError('INVALID_ARGUMENT', `start must be 'random' or 'identity', got ${show(start)}`);
    }
    const own = Object.freeze({ ...shape });
    return new Tower(own, await initialParameters(own, seed, start, checkSignal(options.signal)));
  }

  /**
   * A tower with given parameters, such as those of a checkpoint.
   *
   * @param values - one array per parameter of the shape, by name; they become the tower's own
   * @throws GranuleError `INVALID_ARGUMENT`, `DIMENSION_INVALID`, `LENGTH_MISMATCH`, `OUT_OF_MEMORY`
   */
  static from(shape: TowerShape, values: Readonly<Record<string, Float32Array>>): Tower {
    checkTowerShape(shape);
    const own = Object.freeze({ ...shape });
    const tensors = towerTensors(own);
    checkKeys(
      values,
      tensors.map(({ name }) => name),
    );
    const parameters = tensors.map((tensor): [string, Parameter] => {
      const data = checkFloat32(values[tensor.name] as Float32Array, tensor.name);
      const size = tensor.shape.reduce((product, length) => product * length, 1);
      if (data.length !== size) {
        throw new GranuleError(
          'LENGTH_MISMATCH',
          `${tensor.name} must hold ${tensor.shape.join(' x ')} values, got ${data.length}`,
          { length: data.length, expected: size },
        );
      }
      return [tensor.name, { shape: tensor.shape, values: data, gradient: numbers(size) }];
    });
    return new Tower(own, new Map(parameters));
  }

  /** @internal */
  get native(): NativeTower {
    return this.#native;
  }

  /** Numbers per input vector. */
  get input(): number {
    return this.#native.shape.input;
  }

  /** Numbers per output vector. */
  get output(): number {
    return this.#native.shape.output;
  }

  /**
   * Maps vectors, and keeps nothing. Arrays are read where they lie: leave them, and the parameters, as they are until the promise
   * settles.
   *
   * @param vectors - rows x input, finite
   * @returns rows x output; of a ragged matrix one with the same lengths. A zero vector before normalisation stays one.
   * @throws GranuleError `INVALID_ARGUMENT`, `LENGTH_MISMATCH`, `OUT_OF_MEMORY`, `ABORTED`; `NOT_FINITE` with `details.row` and `.column` of an
   * input, or of an output that is beyond float32
   */
  async encode<Vectors extends TowerVectors>(
    vectors: Vectors,
    options: ForwardOptions = {},
  ): Promise<Mapped<Vectors>> {
    const data = checkTowerVectors(vectors, this.input, 'vectors');
    const { outputs } = await this.#native.forward(data, false, passOptions(options));
    return arrangedAs(vectors, outputs, this.output);
  }

  /**
   * As {@link encode}, and keeps what the backward pass needs: the inputs by reference, the outputs, hidden numbers and norms.
   *
   * @throws GranuleError as `encode`
   */
  async forward<Vectors extends TowerVectors>(
    vectors: Vectors,
    options: ForwardOptions = {},
  ): Promise<TowerPass<Vectors>> {
    const data = checkTowerVectors(vectors, this.input, 'vectors');
    const activations = await this.#native.forward(data, true, passOptions(options));
    return new TowerPass(this.#native, vectors, activations);
  }

  /** Sets all gradients to 0. */
  zeroGradients(): void {
    for (const { gradient } of this.parameters.values()) gradient.fill(0);
  }
}

function passOptions(options: ForwardOptions): PassOptions {
  checkKeys(options, ['threads', 'workspace', 'signal']);
  return {
    threads: checkThreads(options.threads ?? 0),
    workspace: checkWorkspace(options.workspace),
    signal: checkSignal(options.signal),
  };
}
