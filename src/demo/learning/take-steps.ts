import { GranuleError } from '../../errors.js';
import { SeededRandom } from '../../ranking/seeded-random.js';
import { shuffled } from '../../ranking/shuffled.js';
import { DivergenceGuard } from '../../training/run/divergence.js';
import { learningRateAt } from '../../training/run/learning-rate.js';
import { AdamW } from '../../training/towers/adamw.js';
import { namedParameters } from '../../training/towers/parameter.js';
import type { Tower } from '../../training/towers/tower.js';
import type { StageOptions } from './stage-options.js';

/** How steps are taken. */
export interface StepOptions extends StageOptions {
  readonly epochs: number;
  readonly learningRate: number;
  readonly weightDecay: number;
}

const BATCH = 32;
const WARMUP = 20;

/**
 * Steps of AdamW over batches of 32 examples, in an order of its own for each epoch; the rate rises for 20 steps and falls by a cosine, the
 * norm of all gradients is clipped at 1. What an epoch has beyond whole batches is left out of it.
 *
 * @param name - of the stage, for messages and the order
 * @param towers - what is trained
 * @param learn - adds gradients for a batch and gives its loss
 * @throws GranuleError `INVALID_ARGUMENT` for fewer examples than a step takes; `TRAINING_DIVERGED`, `ABORTED`, and what `learn` throws
 */
export async function takeSteps<Example>(
  name: string,
  towers: Readonly<Record<string, Tower>>,
  examples: readonly Example[],
  { seed, epochs, learningRate, weightDecay, threads = 0, onStep }: StepOptions,
  learn: (batch: readonly Example[]) => Promise<number>,
): Promise<void> {
  if (examples.length < BATCH) {
    throw new GranuleError(
      'INVALID_ARGUMENT',
      `training of ${name} takes ${BATCH} examples a step, and there are ${examples.length}`,
      { examples: examples.length },
    );
  }
  const parameters = namedParameters(towers);
  const optimiser = new AdamW(parameters, {
    weightDecay,
    withoutDecay: [...parameters.keys()].filter((parameter) => parameter.endsWith('bias')),
  });
  const guard = new DivergenceGuard(`training of ${name}`);
  let order: readonly Example[] = examples;
  const random = new SeededRandom(`${name} ${seed}`);
  const perEpoch = Math.floor(order.length / BATCH);
  const steps = perEpoch * epochs;
  const schedule = {
    learningRate,
    warmupSteps: Math.min(WARMUP, steps >> 2),
    steps,
    decay: 'cosine',
  } as const;
  for (let step = 1; step <= steps; step++) {
    const place = (step - 1) % perEpoch;
    if (place === 0) order = shuffled(order, random);
    for (const tower of Object.values(towers)) tower.zeroGradients();
    const batch = order.slice(place * BATCH, (place + 1) * BATCH);
    const loss = await guard.during(step, async () => {
      const value = await learn(batch);
      guard.see(step, value);
      await optimiser.step({ learningRate: learningRateAt(step, schedule), clip: 1, threads });
      return value;
    });
    onStep?.({ step, steps, loss });
  }
  guard.requireFinite(steps, parameters);
}
