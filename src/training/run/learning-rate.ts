import { GranuleError } from '../../errors.js';
import { show } from '../../index/arguments.js';
import { checkChoice } from '../losses/loss-arguments.js';

/** How the learning rate goes down after the warm-up. */
export type Decay = 'cosine' | 'linear' | 'constant';

/** How the learning rate of a run goes. */
export interface ScheduleOptions {
  /** Share of the steps in which the rate rises, 0 to below 1; 0.1 by default, 0 of joint training. */
  readonly warmup?: number | undefined;
  /** How the rate goes down; `cosine` by default, `linear` of joint training. */
  readonly decay?: Decay | undefined;
}

/** A learning rate over a run. */
export interface Schedule {
  /** The highest rate. */
  readonly learningRate: number;
  /** Steps of the warm-up. */
  readonly warmupSteps: number;
  /** Steps of the run. */
  readonly steps: number;
  readonly decay: Decay;
}

/**
 * A schedule but for its highest rate.
 *
 * @param steps - of the run
 * @throws GranuleError `INVALID_ARGUMENT`
 */
export function checkSchedule(
  { warmup, decay }: { readonly warmup: number; readonly decay: Decay },
  steps: number,
): Omit<Schedule, 'learningRate'> {
  if (!(warmup >= 0 && warmup < 1)) {
    throw new GranuleError('INVALID_ARGUMENT', `warmup must be from 0 to below 1, got ${show(warmup)}`);
  }
  checkChoice(decay, ['cosine', 'linear', 'constant'], 'decay');
  return { warmupSteps: Math.floor(warmup * steps), steps, decay };
}

/**
 * The rate of step k = 1 to steps, w the steps of the warm-up, x = (k - 1 - w) / (steps - w):
 *
 *     k <= w       rate k / (w + 1)
 *     constant     rate
 *     linear       rate (1 - x)
 *     cosine       rate (1 + cos(pi x)) / 2
 *
 * Source of the cosine: Loshchilov and Hutter, "SGDR: Stochastic Gradient Descent with Warm Restarts", 2017.
 */
export function learningRateAt(step: number, { learningRate, warmupSteps, steps, decay }: Schedule): number {
  if (step <= warmupSteps) return (learningRate * step) / (warmupSteps + 1);
  const share = (step - 1 - warmupSteps) / (steps - warmupSteps);
  switch (decay) {
    case 'constant':
      return learningRate;
    case 'linear':
      return learningRate * (1 - share);
    case 'cosine':
      return (learningRate * (1 + Math.cos(Math.PI * share))) / 2;
  }
}
