import { GranuleError } from '../../errors.js';

/** A loss explodes where it is this many times its least so far ... */
const FACTOR = 10;
/** ... in this many steps one after the other. */
const STEPS = 20;
/** Losses this small may jump by any factor. */
const SMALL = 0.01;

/**
 * Watches the losses of a run. A loss explodes where in 20 steps one after the other it is above 10 times the least so far; the least counts as
 * a tenth of the first loss where it is below that, and as 0.01 at least, so that a run which has learned nearly everything may
 * meet a hard batch, and what explodes is worse than at the beginning.
 */
export class DivergenceWatch {
  #first: number | undefined;
  #least = Number.POSITIVE_INFINITY;
  #above = 0;

  /**
   * @returns whether the run has to stop: the loss is not finite, or explodes
   */
  explodes(loss: number): boolean {
    if (!Number.isFinite(loss)) return true;
    this.#first ??= loss;
    const bound = FACTOR * Math.max(this.#least, this.#first / FACTOR, SMALL);
    this.#above = loss > bound ? this.#above + 1 : 0;
    this.#least = Math.min(this.#least, loss);
    return this.#above >= STEPS;
  }
}

/** Why a run stopped at `step`, and what is left of it. */
export function diverged(
  step: number,
  what: string,
  checkpoint: { readonly file: string; readonly step: number } | undefined,
  cause?: unknown,
): GranuleError {
  const kept =
    checkpoint === undefined
      ? 'there is no checkpoint'
      : `${checkpoint.file} holds the state after step ${checkpoint.step}`;
  return new GranuleError(
    'TRAINING_DIVERGED',
    `training stopped at step ${step}: ${what}; ${kept}. A lower learning rate, a longer warm-up or a higher temperature may help`,
    { step, ...(checkpoint && { checkpoint: checkpoint.file, checkpointStep: checkpoint.step }) },
    { cause },
  );
}
