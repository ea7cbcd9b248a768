import { checkBoolean, checkKeys, checkSignal, checkThreads } from '../../index/arguments.js';
import type { NativeTowerActivations } from '../../native/training-types.js';
import type { NativeTower } from './native-tower.js';
import { numbers } from './parameter.js';
import { arrangedAs, checkTowerVectors, type Mapped, type TowerVectors } from './tower-vectors.js';
import { checkWorkspace, type Workspace } from './workspace.js';

/** Options of {@link TowerPass.backward}. */
export interface BackwardOptions<Wanted extends boolean = boolean> {
  /** Whether the gradient of the inputs is wanted; false by default. */
  readonly inputs?: Wanted | undefined;
  /** Most threads; 0, the default, means one per core. Results do not depend on it. */
  readonly threads?: number | undefined;
  /** Where the gradient of the inputs lies; by default in memory of its own. */
  readonly workspace?: Workspace | undefined;
  /** Stops the work. */
  readonly signal?: AbortSignal | undefined;
}

/** dL/dx where it was asked for. */
export type InputGradient<Vectors extends TowerVectors, Wanted extends boolean> = Wanted extends true
  ? Mapped<Vectors>
  : undefined;

/**
 * One forward pass of a tower, with what its backward pass needs: several batches may be under way at once, and a pass may go back more
 * than once.
 */
export class TowerPass<Vectors extends TowerVectors = TowerVectors> {
  /** The mapped vectors; leave them as they are while a backward pass may follow. */
  readonly outputs: Mapped<Vectors>;
  readonly #tower: NativeTower;
  readonly #inputs: Vectors;
  readonly #activations: NativeTowerActivations;

  /** @internal */
  constructor(tower: NativeTower, inputs: Vectors, activations: NativeTowerActivations) {
    this.#tower = tower;
    this.#inputs = inputs;
    this.#activations = activations;
    this.outputs = arrangedAs(inputs, activations.outputs, tower.shape.output);
  }

  /**
   * Adds dL/dparameter to the gradients of the tower's parameters. With g = dL/dy and n = |z|, normalisation gives
   *
   *     dL/dz = (g - y <y, g>) / n        and 0 where n is below 1e-12: a vector without a direction teaches nothing
   *
   * The slope of max(0, .) at 0 counts as 0. Call it before the next step of the optimiser: it reads the parameters of the moment, and
   * what the forward pass read and gave. Costs twice the forward pass, with the inputs' gradient three times.
   *
   * @param outputGradient - dL/dy: rows x output
   * @returns dL/dx where `inputs` is set: rows x input
   * @throws GranuleError `INVALID_ARGUMENT`, `LENGTH_MISMATCH`; `NOT_FINITE` (`details.row` and `.column` of `outputGradient`), when nothing
   * is added; `ABORTED`, when gradients hold a part: zero them
   */
  async backward<Wanted extends boolean = false>(
    outputGradient: TowerVectors,
    options: BackwardOptions<Wanted> = {},
  ): Promise<InputGradient<Vectors, Wanted>> {
    checkKeys(options, ['inputs', 'threads', 'workspace', 'signal']);
    const threads = checkThreads(options.threads ?? 0);
    const workspace = checkWorkspace(options.workspace);
    const signal = checkSignal(options.signal);
    const { input, output } = this.#tower.shape;
    const gradient = checkTowerVectors(
      outputGradient,
      output,
      'outputGradient',
      this.outputs.data.length / output,
    );
    const inputs = this.#inputs.data;
    const inputGradient = checkBoolean(options.inputs ?? false, 'inputs')
      ? (workspace?.floats(inputs.length) ?? numbers(inputs.length))
      : undefined;
    await this.#tower.backward(inputs, this.#activations, gradient, inputGradient, { threads, signal });
    const arranged = inputGradient && arrangedAs(this.#inputs, inputGradient, input);
    return arranged as InputGradient<Vectors, Wanted>;
  }
}
