import { readCheckpointFile, type TableRow, writeCheckpointFile } from '../run/checkpoint-file.js';
import type { RunIdentity } from '../run/run-identity.js';
import type { AdamWState } from '../towers/adamw.js';
import type { Parameter } from '../towers/parameter.js';
import type { TrainingEvaluation, TrainingStep } from './training-history.js';

const NEEDED = ['values', 'first', 'second', 'steps', 'evaluations', 'mined'];

/** All that a run needs to go on with the same bits. */
export interface TrainingState {
  readonly steps: readonly TrainingStep[];
  readonly evaluations: readonly TrainingEvaluation[];
  readonly values: ReadonlyMap<string, Float32Array>;
  readonly optimiser: AdamWState;
  /** The parameters that measured best; undefined before the first measurement. */
  readonly best: ReadonlyMap<string, Float32Array> | undefined;
  /** The hard negatives of the moment. */
  readonly mined: Uint32Array;
}

/**
 * Writes a checkpoint in place of the one before.
 *
 * @param parameters - give the tensors their shapes
 * @throws GranuleError `NOT_FINITE`, `FILE_NOT_WRITABLE`
 */
export async function writeCheckpoint(
  file: string,
  identity: RunIdentity,
  { steps, evaluations, values, optimiser, best, mined }: TrainingState,
  parameters: ReadonlyMap<string, Parameter>,
): Promise<void> {
  const { first, second } = optimiser;
  const measured = evaluations.map(
    (one): TableRow => ({ step: one.step, epoch: one.epoch, best: Number(one.best), ...one.measures }),
  );
  await writeCheckpointFile(file, identity, parameters, {
    groups: { values, first, second, ...(best && { best }) },
    tables: { steps: steps as readonly object[] as readonly TableRow[], evaluations: measured },
    lists: { mined },
  });
}

/**
 * Reads the checkpoint of a run.
 *
 * @returns undefined where there is none
 * @throws GranuleError `TRAINING_FILE_INVALID`; `CHECKPOINT_MISMATCH` where it is another run's
 */
export async function readCheckpoint(
  file: string,
  identity: RunIdentity,
  parameters: ReadonlyMap<string, Parameter>,
): Promise<TrainingState | undefined> {
  const state = await readCheckpointFile(file, identity, parameters, NEEDED);
  if (state === undefined) return undefined;
  const { values, first, second, best } = state.groups;
  const { steps, evaluations } = state.tables;
  return {
    steps: steps as readonly object[] as readonly TrainingStep[],
    evaluations: evaluations!.map(({ step, epoch, best: isBest, ...measures }) => ({
      step: step!,
      epoch: epoch!,
      measures,
      best: isBest === 1,
    })),
    values: values!,
    optimiser: { steps: steps!.length, first: first!, second: second! },
    best,
    mined: state.lists['mined']!,
  };
}
