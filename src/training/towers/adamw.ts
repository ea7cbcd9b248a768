import { GranuleError } from '../../errors.js';
import { checkKeys, checkThreads, show } from '../../index/arguments.js';
import { loadAddon } from '../../native/load-addon.js';
import type { NativeAdamWTensor } from '../../native/training-types.js';
import { numbers, type Parameter } from './parameter.js';

/** What an optimiser has learnt so far; with the parameters' values all that a run needs to go on with the same bits. */
export interface AdamWState {
  /** Steps that were taken. */
  readonly steps: number;
  /** Per parameter the running mean of its gradient. */
  readonly first: ReadonlyMap<string, Float32Array>;
  /** Per parameter the running mean of its gradient's squares. */
  readonly second: ReadonlyMap<string, Float32Array>;
}

/** Options of {@link AdamW}. */
export interface AdamWOptions {
  /** Of steps that name none; finite, at least 0; 1e-3 by default. */
  readonly learningRate?: number | undefined;
  /** Decays b1 and b2 of the two means, 0 or more and below 1; 0.9 and 0.999 by default. */
  readonly betas?: readonly [number, number] | undefined;
  /** Above 0; 1e-8 by default. */
  readonly epsilon?: number | undefined;
  /** Share of a parameter that a step takes away per unit of learning rate, finite, at least 0; 0.01 by default. */
  readonly weightDecay?: number | undefined;
  /** Names of parameters that do not decay, as biases and temperatures should not; none by default. */
  readonly withoutDecay?: readonly string[] | undefined;
  /** Goes on from here, with copies; by default from zeros. */
  readonly state?: AdamWState | undefined;
}

/** Options of {@link AdamW.step}. */
export interface AdamWStepOptions {
  /** Finite, at least 0; the optimiser's by default. */
  readonly learningRate?: number | undefined;
  /** Greatest norm that all gradients together may have, above 0; they are scaled down to it. Infinity by default. */
  readonly clip?: number | undefined;
  /** Most threads; 0, the default, means one per core. Results do not depend on it. */
  readonly threads?: number | undefined;
}

/**
 * AdamW: with g the gradient of a number x, at step k = 1, 2, ...
 *
 *     g = c g                              c = min(1, clip / |all gradients|)
 *     m = b1 m + (1 - b1) g                v = b2 v + (1 - b2) g^2
 *     x = x - rate ((m / (1 - b1^k)) / (sqrt(v / (1 - b2^k)) + epsilon) + weightDecay x)
 *
 * x, m and v are float32; each is worked out in float64 and rounded once, the norm is float64: the same bits for every number of threads
 * and on every machine. Gradients are read, not zeroed.
 *
 * Source: Loshchilov and Hutter, "Decoupled Weight Decay Regularization", 2019; clipping by the norm: Pascanu et al., "On the difficulty
 * of training recurrent neural networks", 2013.
 */
export class AdamW {
  readonly #parameters: ReadonlyMap<string, Parameter>;
  readonly #tensors: readonly NativeAdamWTensor[];
  readonly #learningRate: number;
  readonly #betas: readonly [number, number];
  readonly #epsilon: number;
  #steps: number;
  /** Settles when the last step that was asked for has ended, in whichever way. */
  #last: Promise<void> = Promise.resolve();

  /** @throws GranuleError `INVALID_ARGUMENT`, `LENGTH_MISMATCH`, `OUT_OF_MEMORY` */
  constructor(parameters: ReadonlyMap<string, Parameter>, options: AdamWOptions = {}) {
    checkKeys(options, ['learningRate', 'betas', 'epsilon', 'weightDecay', 'withoutDecay', 'state']);
    const { betas = [0.9, 0.999], epsilon = 1e-8, withoutDecay = [], state } = options;
    this.#learningRate = checkAtLeastZero(options.learningRate ?? 1e-3, 'learningRate');
    const decay = checkAtLeastZero(options.weightDecay ?? 0.01, 'weightDecay');
    const areDecays =
      Array.isArray(betas) &&
      betas.length === 2 &&
      betas.every((beta) => typeof beta === 'number' && beta >= 0 && beta < 1);
    if (!areDecays) throw invalid(`betas must be two numbers from 0 to below 1, got ${show(betas)}`);
    if (!(checkAtLeastZero(epsilon, 'epsilon') > 0)) throw invalid('epsilon must be above 0');
    const unknown = withoutDecay.find((name) => !parameters.has(name));
    if (unknown !== undefined) throw invalid(`withoutDecay names ${show(unknown)}, which is no parameter`);
    this.#parameters = new Map(parameters);
    this.#betas = [betas[0], betas[1]];
    this.#epsilon = epsilon;
    this.#steps = checkSteps(state?.steps ?? 0);
    this.#tensors = [...parameters].map(([name, { values, gradient }]) => ({
      values,
      gradient,
      first: moments(state?.first, name, values.length),
      second: moments(state?.second, name, values.length),
      decay: withoutDecay.includes(name) ? 0 : decay,
    }));
  }

  /** Steps that were taken. */
  get steps(): number {
    return this.#steps;
  }

  /** What to keep in a checkpoint; the arrays are the optimiser's own, so copy or write them before the next step. */
  get state(): AdamWState {
    const by = (moment: 'first' | 'second') =>
      new Map([...this.#parameters.keys()].map((name, i) => [name, this.#tensors[i]![moment]]));
    return { steps: this.#steps, first: by('first'), second: by('second') };
  }

  /**
   * Takes a step; calls that overlap take theirs one after the other.
   *
   * @returns the norm of all gradients together, before clipping
   * @throws GranuleError `INVALID_ARGUMENT`; `NOT_FINITE`, when nothing is changed: for a gradient that is not finite with
   * `details.parameter` and its place, `details.row` and `.column` as the parameter's shape has them; without them where what is left of the
   * norm after clipping is above 1e19
   */
  async step(options: AdamWStepOptions = {}): Promise<{ gradientNorm: number }> {
    checkKeys(options, ['learningRate', 'clip', 'threads']);
    const { clip = Number.POSITIVE_INFINITY } = options;
    const rate = checkAtLeastZero(options.learningRate ?? this.#learningRate, 'learningRate');
    if (typeof clip !== 'number' || !(clip > 0)) throw invalid(`clip must be above 0, got ${show(clip)}`);
    const threads = checkThreads(options.threads ?? 0);
    const done = this.#last.then(() => this.#step(rate, clip, threads));
    this.#last = done.then(
      () => undefined,
      () => undefined,
    );
    return { gradientNorm: await done };
  }

  async #step(rate: number, clip: number, threads: number): Promise<number> {
    const [firstDecay, secondDecay] = this.#betas;
    const norm = await loadAddon()
      .adamwStep([...this.#tensors], {
        rate,
        firstDecay,
        secondDecay,
        epsilon: this.#epsilon,
        firstCorrection: 1 - power(firstDecay, this.#steps + 1),
        secondCorrection: 1 - power(secondDecay, this.#steps + 1),
        clip,
        threads,
      })
      .catch((error) => {
        throw this.#named(error);
      });
    this.#steps++;
    return norm;
  }

  /** The addon's error, which knows parameters by number. */
  #named(error: unknown): unknown {
    if (!(error instanceof GranuleError) || error.code !== 'NOT_FINITE') return error;
    const { row: tensor, column: place } = error.details;
    const found = [...this.#parameters][Number(tensor)];
    if (found === undefined) return error;
    const [name, { shape, gradient }] = found;
    const columns = shape.length > 1 ? shape[shape.length - 1]! : 1;
    const row = Math.floor(Number(place) / columns);
    const column = Number(place) % columns;
    return new GranuleError(
      'NOT_FINITE',
      `the gradient of ${name}, row ${row}, column ${column} is ${gradient[Number(place)]}`,
      { parameter: name, row, column },
    );
  }
}

/** base^exponent by repeated squaring: the same bits everywhere, which Math.pow does not promise. */
function power(base: number, exponent: number): number {
  let out = 1;
  let square = base;
  for (let left = exponent; left > 0; left = Math.floor(left / 2)) {
    if (left % 2 === 1) out *= square;
    square *= square;
  }
  return out;
}

function moments(
  given: ReadonlyMap<string, Float32Array> | undefined,
  name: string,
  length: number,
): Float32Array {
  const out = numbers(length);
  if (given === undefined) return out;
  const kept = given.get(name);
  if (kept?.length !== length) {
    throw new GranuleError(
      'LENGTH_MISMATCH',
      `the state must hold ${length} numbers for ${name}, got ${kept === undefined ? 'none' : kept.length}`,
      { length: kept?.length ?? 0, expected: length },
    );
  }
  out.set(kept);
  return out;
}

function checkSteps(steps: number): number {
  if (!Number.isSafeInteger(steps) || steps < 0) {
    throw invalid(`the state's steps must be a whole number from 0, got ${show(steps)}`);
  }
  return steps;
}

function checkAtLeastZero(value: number, name: string): number {
  if (typeof value !== 'number' || !Number.isFinite(value) || value < 0) {
    throw invalid(`${name} must be a finite number of at least 0, got ${show(value)}`);
  }
  return value;
}

function invalid(message: string): GranuleError {
  return new GranuleError('INVALID_ARGUMENT', message);
}
