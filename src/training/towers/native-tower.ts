import { abortable } from '../../native/abortable.js';
import { loadAddon } from '../../native/load-addon.js';
import type {
  NativeContrastSide,
  NativeTowerActivations,
  NativeTowerShape,
  NativeTowerTensors,
} from '../../native/training-types.js';
import { numbers, type Parameter } from './parameter.js';
import { type TowerShape, towerTensors } from './tower-shape.js';
import type { Workspace } from './workspace.js';

/** Options of a pass that were checked. */
export interface PassOptions {
  readonly threads: number;
  readonly signal: AbortSignal | undefined;
  readonly workspace?: Workspace | undefined;
}

/** A tower's tensors as the addon takes them, and its calls. Backward passes add to the gradients one after the other, in the order of the calls. */
export class NativeTower {
  readonly shape: NativeTowerShape;
  readonly #parameters: NativeTowerTensors;
  readonly #gradients: NativeTowerTensors;
  /** Settles when the last call that adds to the gradients has ended, in whichever way. */
  #adding: Promise<void> = Promise.resolve();

  constructor(shape: TowerShape, native: NativeTowerShape, parameters: ReadonlyMap<string, Parameter>) {
    this.shape = native;
    const tensors = (which: 'values' | 'gradient') =>
      Object.fromEntries(
        towerTensors(shape).map(({ name, role }) => [role, parameters.get(name)?.[which]]),
      ) as unknown as NativeTowerTensors;
    this.#parameters = tensors('values');
    this.#gradients = tensors('gradient');
  }

  /** Frozen vectors and this tower, as a side of a contrast. */
  side(inputs: Float32Array): NativeContrastSide {
    return { shape: this.shape, parameters: this.#parameters, gradients: this.#gradients, inputs };
  }

  /** @param keep - whether what a backward pass needs is kept */
  async forward(inputs: Float32Array, keep: boolean, options: PassOptions): Promise<NativeTowerActivations> {
    const { input, hidden, output, normalise } = this.shape;
    const rows = inputs.length / input;
    const { workspace } = options;
    const floats = (length: number) => workspace?.floats(length) ?? numbers(length);
    const activations: NativeTowerActivations = {
      outputs: floats(rows * output),
      hidden: keep && hidden > 0 ? floats(rows * hidden) : undefined,
      norms: keep && normalise ? (workspace?.doubles(rows) ?? new Float64Array(rows)) : undefined,
    };
    await abortable(options.signal, (cancel) =>
      loadAddon().towerForward(
        this.shape,
        this.#parameters,
        inputs,
        { threads: options.threads, cancel },
        activations,
      ),
    );
    return activations;
  }

  async backward(
    inputs: Float32Array,
    activations: NativeTowerActivations,
    outputGradient: Float32Array,
    inputGradient: Float32Array | undefined,
    options: PassOptions,
  ): Promise<void> {
    return NativeTower.adding([this], () =>
      abortable(options.signal, (cancel) =>
        loadAddon().towerBackward(
          this.shape,
          this.#parameters,
          this.#gradients,
          inputs,
          activations,
          outputGradient,
          { threads: options.threads, cancel },
          inputGradient,
        ),
      ),
    );
  }

  /** Runs what adds to the gradients of towers once all has ended that was asked for before and adds to any of them. */
  static adding<Result>(towers: readonly NativeTower[], add: () => Promise<Result>): Promise<Result> {
    const done = Promise.all(towers.map((tower) => tower.#adding)).then(add);
    const ended = done.then(
      () => undefined,
      () => undefined,
    );
    for (const tower of towers) tower.#adding = ended;
    return done;
  }
}
