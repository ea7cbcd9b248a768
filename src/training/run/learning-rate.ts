/** How the learning rate goes down after the warm-up. */
export type Decay = 'cosine' | 'linear' | 'constant';

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
