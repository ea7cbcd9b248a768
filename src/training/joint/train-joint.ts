import { EventLoopTurns } from '../../approximate/event-loop-turns.js';
import { checkKeys, checkSignal } from '../../index/arguments.js';
import { SeededRandom } from '../../ranking/seeded-random.js';
import { shuffled } from '../../ranking/shuffled.js';
import { refuseNotFinite } from '../files/finite-values.js';
import { checkCount } from '../run/check-count.js';
import { type CheckpointOptions, checkCheckpoint, isCheckpointDue } from '../run/checkpoint-file.js';
import { DivergenceGuard } from '../run/divergence.js';
import { checkSchedule, learningRateAt, type ScheduleOptions } from '../run/learning-rate.js';
import { AdamW, type AdamWState } from '../towers/adamw.js';
import { jointIdentity, readJointCheckpoint, writeJointCheckpoint } from './joint-checkpoint.js';
import { JOINT_PARTS, type JointExample, type JointPart } from './joint-knowledge.js';
import type { JointLearnOptions, JointModel } from './joint-model.js';
import type { JointRates, JointTrainingStep } from './joint-training-step.js';

/** Options of {@link trainJoint}. */
export interface TrainJointOptions extends JointLearnOptions, ScheduleOptions {
  /** Times that all examples are seen; 10 by default. */
  readonly epochs?: number | undefined;
  /** Questions per step; 16 by default. */
  readonly batchSize?: number | undefined;
  /** Highest rate of AdamW, of each part; 1e-3 where it names none. */
  readonly learningRates?: JointRates | undefined;
  /** Of AdamW; 0 by default. */
  readonly weightDecay?: number | undefined;
  /** Greatest norm of each part's gradient; 1 by default. */
  readonly clip?: number | undefined;
  /** Of the order of the examples; 0 by default. */
  readonly seed?: number | string | undefined;
  /** None by default. To go on from one, make the model again as it was at the beginning. */
  readonly checkpoint?: CheckpointOptions | undefined;
  /** Called after each step; those before a checkpoint are told first. What it throws ends the training. */
  readonly onStep?: ((step: JointTrainingStep) => void) | undefined;
}

/**
 * Trains the parts of a {@link JointModel} by stochastic steps of AdamW, one optimiser for each part that is trained: at each step entities and
 * passages are retrieved anew by exact search. Parts that are not trained do not change by a bit. A seed gives the same weights on every run
 * and number of threads, and so does a run that goes on from a checkpoint.
 *
 * @returns all steps
 * @throws GranuleError `INVALID_ARGUMENT`, and as `JointModel.learn`; `NOT_FINITE` for a picture with such a number; `TRAINING_DIVERGED` with
 * `details.step`, and `details.checkpoint` where there is one; `CHECKPOINT_MISMATCH`, `TRAINING_FILE_INVALID`, `FILE_NOT_WRITABLE`
 */
export async function trainJoint(
  model: JointModel,
  examples: readonly JointExample[],
  options: TrainJointOptions = {},
): Promise<readonly JointTrainingStep[]> {
  const {
    epochs = 10,
    batchSize = 16,
    learningRates = {},
    weightDecay = 0,
    clip = 1,
    seed = 0,
    warmup = 0,
    decay = 'linear',
    checkpoint,
    onStep,
    ...learning
  } = options;
  checkKeys(learning, ['form', 'readerWeight', 'floor', 'trained', 'threads', 'signal']);
  checkKeys(learningRates, JOINT_PARTS);
  checkCount(examples.length, 'the number of examples');
  checkCheckpoint(checkpoint);
  const { trained = JOINT_PARTS, threads, signal, ...objective } = learning;
  const turns = new EventLoopTurns(checkSignal(signal));
  for (const [n, { picture }] of examples.entries()) {
    await refuseNotFinite(`picture ${n}`, { values: picture, shape: [1, picture.length] }, turns);
  }
  const perEpoch = Math.ceil(examples.length / checkCount(batchSize, 'batchSize'));
  const total = checkCount(epochs, 'epochs') * perEpoch;
  const schedule = checkSchedule({ warmup, decay }, total);
  const plan = {
    epochs,
    batchSize,
    learningRates,
    weightDecay,
    clip,
    seed,
    warmup,
    decay,
    trained,
    ...objective,
  };
  const identity = checkpoint && (await jointIdentity(model, examples, plan, signal));
  const parameters = model.parameters(trained);
  const kept = identity && (await readJointCheckpoint(checkpoint!.file, identity, parameters));
  const optimisers = trained.map((part) => ({
    part,
    optimiser: new AdamW(model.parameters([part]), { weightDecay, state: kept?.optimiser }),
  }));
  const guard = new DivergenceGuard();
  const steps: JointTrainingStep[] = [];
  const took = (step: JointTrainingStep) => {
    steps.push(step);
    onStep?.(step);
  };
  if (kept !== undefined) {
    for (const [name, { values }] of parameters) values.set(kept.values.get(name)!);
    guard.checkpoint = { file: checkpoint!.file, step: kept.steps.length };
    for (const step of kept.steps) {
      guard.see(step.step, step.loss);
      took(step);
    }
  }
  let order: JointExample[] | undefined;
  while (steps.length < total) {
    const step = steps.length + 1;
    const epoch = Math.ceil(step / perEpoch);
    const inEpoch = (step - 1) % perEpoch;
    if (order === undefined || inEpoch === 0) {
      order = shuffled(examples, new SeededRandom(`${seed}/epoch ${epoch}`));
    }
    const batch = order.slice(inEpoch * batchSize, (inEpoch + 1) * batchSize);
    for (const part of trained) model.parts[part].zeroGradients();
    const gradientNorms: Partial<Record<JointPart, number>> = {};
    const loss = await guard.during(step, async () => {
      const value = await model.learn(batch, learning);
      guard.see(step, value.loss);
      for (const { part, optimiser } of optimisers) {
        const learningRate = learningRateAt(step, { learningRate: learningRates[part] ?? 1e-3, ...schedule });
        gradientNorms[part] = (await optimiser.step({ learningRate, clip, threads })).gradientNorm;
      }
      return value;
    });
    took({ ...loss, step, epoch, gradientNorms });
    if (
      identity === undefined ||
      !isCheckpointDue(checkpoint!, step, step % perEpoch === 0 || step === total)
    )
      continue;
    guard.requireFinite(step, parameters);
    const values = new Map([...parameters].map(([name, parameter]) => [name, parameter.values]));
    const optimiser = together(optimisers.map((one) => one.optimiser.state));
    await writeJointCheckpoint(checkpoint!.file, identity, { steps, values, optimiser }, parameters);
    guard.checkpoint = { file: checkpoint!.file, step };
  }
  guard.requireFinite(total, parameters);
  return steps;
}

/** The states of several optimisers that have taken the same steps, of parameters of different names. */
function together(states: readonly AdamWState[]): AdamWState {
  return {
    steps: states[0]?.steps ?? 0,
    first: new Map(states.flatMap(({ first }) => [...first])),
    second: new Map(states.flatMap(({ second }) => [...second])),
  };
}
