import { GranuleError } from '../../errors.js';
import type { Parameter } from '../towers/parameter.js';

/** A loss explodes where it is this many times its least so far ... */
const FACTOR = 10;
/** ... in this many steps one after the other. */
const STEPS = 20;
/** Losses this small may jump by any factor. */
const SMALL = 0.01;

/**
 * Stops a run that diverges. A loss explodes where in 20 steps one after the other it is above 10 times the least so far; the least counts as
 * a tenth of the first loss where it is below that, and as 0.01 at least, so that a run which has learned nearly everything may
 * meet a hard batch, and what explodes is worse than at the beginning.
 */
export class DivergenceGuard {
  /** The last checkpoint, which errors name. */
  checkpoint: { readonly file: string; readonly step: number } | undefined;
  readonly #run: string;
  #first: number | undefined;
  #least = Number.POSITIVE_INFINITY;
  #above = 0;

  /** @param run - what is trained, for messages */
  constructor(run = 'training') {
    this.#run = run;
  }

  /**
   * Sees the losses of a run, each once and in their order.
   *
   * @throws GranuleError `TRAINING_DIVERGED` where the loss is not finite, or explodes
   */
  see(step: number, loss: number): void {
    if (this.#explodes(loss)) {
      const why = Number.isFinite(loss) ? 'it has exploded' : 'which is not finite';
      throw this.#diverged(step, `the loss is ${loss}, ${why}`);
    }
  }

  /**
   * What `work` gives. The data were finite: what is not any more, training has made so.
   *
   * @throws GranuleError `TRAINING_DIVERGED` where a number is not finite
   */
  async during<T>(step: number, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof GranuleError) || error.code !== 'NOT_FINITE') throw error;
      throw this.#diverged(step, `a number is not finite (${error.message})`, error);
    }
  }

  /**
   * What is kept must be of use: a step that is too large leaves parameters beyond float32.
   *
   * @throws GranuleError `TRAINING_DIVERGED`
   */
  requireFinite(step: number, parameters: ReadonlyMap<string, Pick<Parameter, 'values'>>): void {
    for (const [name, { values }] of parameters) {
      const wrong = values.find((value) => !Number.isFinite(value));
      if (wrong !== undefined) throw this.#diverged(step, `${name} holds ${wrong}`);
    }
  }

  #explodes(loss: number): boolean {
    if (!Number.isFinite(loss)) return true;
    this.#first ??= loss;
    const bound = FACTOR * Math.max(this.#least, this.#first / FACTOR, SMALL);
    this.#above = loss > bound ? this.#above + 1 : 0;
    this.#least = Math.min(this.#least, loss);
    return this.#above >= STEPS;
  }

  #diverged(step: number, what: string, cause?: unknown): GranuleError {
    const { checkpoint } = this;
    const kept =
      checkpoint === undefined
        ? 'there is no checkpoint'
        : `${checkpoint.file} holds the state after step ${checkpoint.step}`;
    return new GranuleError(
      'TRAINING_DIVERGED',
      `${this.#run} stopped at step ${step}: ${what}; ${kept}. A lower learning rate, a longer warm-up or a higher temperature may help`,
      { step, ...(checkpoint && { checkpoint: checkpoint.file, checkpointStep: checkpoint.step }) },
      { cause },
    );
  }
}
