import { checkKeys } from '../../index/arguments.js';
import { SeededRandom } from '../../ranking/seeded-random.js';
import { shuffled } from '../../ranking/shuffled.js';
import { checkCount } from '../run/check-count.js';
import { AdamW } from '../towers/adamw.js';
import { JOINT_PARTS, type JointExample, type JointPart } from './joint-knowledge.js';
import type { JointLearnOptions, JointModel } from './joint-model.js';
import type { JointLoss } from './joint-objective.js';

/** A learning rate of each part. */
export type JointRates = Readonly<Partial<Record<JointPart, number>>>;

/** Options of {@link trainJoint}. */
export interface TrainJointOptions extends JointLearnOptions {
  /** Times that all examples are seen; 10 by default. */
  readonly epochs?: number | undefined;
  /** Questions per step; 16 by default. */
  readonly batch?: number | undefined;
  /** Of AdamW at the first step, falling linearly to 0: of each part, 1e-3 where it names none. */
  readonly learningRates?: JointRates | undefined;
  /** Of AdamW; 0 by default. */
  readonly weightDecay?: number | undefined;
  /** Greatest norm of each part's gradient; 1 by default. */
  readonly clip?: number | undefined;
  /** Of the order of the examples; 0 by default. */
  readonly seed?: number | string | undefined;
  /** Called after each step. What it throws ends the training. */
  readonly onStep?: ((step: JointTrainingStep) => void) | undefined;
}

/** One step of {@link trainJoint}. */
export interface JointTrainingStep extends JointLoss {
  /** From 1. */
  readonly step: number;
  /** From 1. */
  readonly epoch: number;
  /** Per trained part, the norm of its gradient before clipping. */
  readonly gradientNorms: JointRates;
}

/**
 * Trains the parts of a {@link JointModel} by stochastic steps of AdamW, one optimiser for each part that is trained: at each step entities and
 * passages are retrieved anew by exact search. Parts that are not trained do not change by a bit. A seed gives the same weights on every run
 * and number of threads.
 *
 * @throws GranuleError `INVALID_ARGUMENT`, and as `JointModel.learn`
 */
export async function trainJoint(
  model: JointModel,
  examples: readonly JointExample[],
  options: TrainJointOptions = {},
): Promise<readonly JointTrainingStep[]> {
  const {
    epochs = 10,
    batch = 16,
    learningRates = {},
    weightDecay = 0,
    clip = 1,
    seed = 0,
    onStep,
    ...learning
  } = options;
  checkKeys(learning, ['form', 'readerWeight', 'floor', 'trained', 'threads', 'signal']);
  checkKeys(learningRates, JOINT_PARTS);
  checkCount(examples.length, 'the number of examples');
  const { trained = JOINT_PARTS, threads } = learning;
  const total = checkCount(epochs, 'epochs') * Math.ceil(examples.length / checkCount(batch, 'batch'));
  const optimisers = trained.map((part) => ({
    part,
    rate: learningRates[part] ?? 1e-3,
    optimiser: new AdamW(model.parameters([part]), { weightDecay }),
  }));
  const steps: JointTrainingStep[] = [];
  for (let epoch = 1; epoch <= epochs; epoch++) {
    const order = shuffled(examples, new SeededRandom(`${seed}/epoch ${epoch}`));
    for (let first = 0; first < order.length; first += batch) {
      for (const part of trained) model.parts[part].zeroGradients();
      const loss = await model.learn(order.slice(first, first + batch), learning);
      const gradientNorms: Partial<Record<JointPart, number>> = {};
      for (const { part, rate, optimiser } of optimisers) {
        const learningRate = rate * (1 - steps.length / total);
        gradientNorms[part] = (await optimiser.step({ learningRate, clip, threads })).gradientNorm;
      }
      const step = { ...loss, step: steps.length + 1, epoch, gradientNorms };
      steps.push(step);
      onStep?.(step);
    }
  }
  return steps;
}
