import { EventLoopTurns } from '../../approximate/event-loop-turns.js';
import { readCheckpointFile, type TableRow, writeCheckpointFile } from '../run/checkpoint-file.js';
import { addItems, addNumbers, digestOf, identityOfRun, type RunIdentity } from '../run/run-identity.js';
import type { AdamWState } from '../towers/adamw.js';
import type { Parameter } from '../towers/parameter.js';
import { JOINT_PARTS, type JointExample, type JointPart } from './joint-knowledge.js';
import type { JointModel } from './joint-model.js';
import type { JointTrainingStep } from './joint-training-step.js';

/** What a run of joint training has come to. */
export interface JointState {
  readonly steps: readonly JointTrainingStep[];
  readonly values: ReadonlyMap<string, Float32Array>;
  readonly optimiser: AdamWState;
}

const NEEDED = ['values', 'first', 'second', 'steps'];
const NORM = 'norm of ';

/** Runs with one identity have the same bits at every step: options, examples, what is retrieved from, and the parameters at the beginning. */
export async function jointIdentity(
  model: JointModel,
  examples: readonly JointExample[],
  options: Readonly<Record<string, unknown>>,
  signal: AbortSignal | undefined,
): Promise<RunIdentity> {
  const turns = new EventLoopTurns(signal);
  const { entities, titles, passages, texts } = model.knowledge;
  const { temperatures, counts } = model;
  return identityOfRun(
    { ...options, ...temperatures, ...counts },
    {
      knowledge: await digestOf(turns, async (hash) => {
        await addNumbers(hash, entities.data, turns);
        await addNumbers(hash, passages.data, turns);
        await addItems(hash, titles, turns);
        await addItems(hash, texts, turns);
      }),
      examples: await digestOf(turns, async (hash) => {
        for (const { question, picture, answers } of examples) {
          await addItems(hash, [question, ...answers], turns);
          await addNumbers(hash, picture, turns);
        }
      }),
      'the parameters at the beginning': await digestOf(turns, async (hash) => {
        for (const { values } of model.parameters().values()) await addNumbers(hash, values, turns);
      }),
    },
  );
}

/**
 * Writes a checkpoint in place of the one before.
 *
 * @throws GranuleError `NOT_FINITE`, `FILE_NOT_WRITABLE`
 */
export async function writeJointCheckpoint(
  file: string,
  identity: RunIdentity,
  { steps, values, optimiser }: JointState,
  parameters: ReadonlyMap<string, Parameter>,
): Promise<void> {
  const rows = steps.map(({ gradientNorms, jointLoss, ...numbers }): TableRow => {
    const norms = Object.entries(gradientNorms).map(([part, norm]) => [`${NORM}${part}`, norm]);
    // Where no question was reached there is no such loss.
    return { ...numbers, jointLoss: jointLoss ?? 0, ...Object.fromEntries(norms) };
  });
  const { first, second } = optimiser;
  await writeCheckpointFile(file, identity, parameters, {
    groups: { values, first, second },
    tables: { steps: rows },
    lists: {},
  });
}

/**
 * Reads the checkpoint of a run.
 *
 * @returns undefined where there is none
 * @throws GranuleError `TRAINING_FILE_INVALID`; `CHECKPOINT_MISMATCH` where it is another run's
 */
export async function readJointCheckpoint(
  file: string,
  identity: RunIdentity,
  parameters: ReadonlyMap<string, Parameter>,
): Promise<JointState | undefined> {
  const state = await readCheckpointFile(file, identity, parameters, NEEDED);
  if (state === undefined) return undefined;
  const { values, first, second } = state.groups;
  const steps = state.tables['steps']!.map((row): JointTrainingStep => {
    const { loss, jointLoss, readerLoss, reached, step, epoch } = row as Record<
      keyof JointTrainingStep,
      number
    >;
    const norms = JOINT_PARTS.flatMap((part): [JointPart, number][] => {
      const norm = row[`${NORM}${part}`];
      return norm === undefined ? [] : [[part, norm]];
    });
    const gradientNorms = Object.fromEntries(norms);
    return {
      loss,
      jointLoss: reached === 0 ? undefined : jointLoss,
      readerLoss,
      reached,
      step,
      epoch,
      gradientNorms,
    };
  });
  return { steps, values: values!, optimiser: { steps: steps.length, first: first!, second: second! } };
}
