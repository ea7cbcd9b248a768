import { GranuleError } from '../../errors.js';
import type { AdamWState } from '../towers/adamw.js';
import type { Parameter } from '../towers/parameter.js';
import { differences, type RunIdentity } from './run-identity.js';
import { type FileTensor, readTensorFile, type TensorFile, writeTensorFile } from './tensor-file.js';
import type { TrainingEvaluation, TrainingStep } from './training-history.js';

const FORMAT = 'granule-training-checkpoint';

/** Numbers that are kept of a step, and of a measurement before its measures. */
const [STEP_COLUMNS, EVALUATION_COLUMNS] = [5, 3] as const;

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
 * @throws GranuleError `FILE_NOT_WRITABLE`
 */
export async function writeCheckpoint(
  file: string,
  identity: RunIdentity,
  state: TrainingState,
  parameters: ReadonlyMap<string, Parameter>,
): Promise<void> {
  const { steps, evaluations, values, optimiser, best, mined } = state;
  const tensors = new Map<string, FileTensor>();
  for (const [group, kept] of Object.entries({
    values,
    first: optimiser.first,
    second: optimiser.second,
    best,
  })) {
    for (const [name, numbers] of kept ?? []) {
      tensors.set(`${group}/${name}`, { shape: parameters.get(name)!.shape, values: numbers });
    }
  }
  const names = Object.keys(evaluations[0]?.measures ?? {});
  tensors.set('mined', { shape: [mined.length], values: mined });
  tensors.set(
    'steps',
    table(
      STEP_COLUMNS,
      steps.map((one) => [one.epoch, one.loss, one.learningRate, one.gradientNorm, one.temperature]),
    ),
  );
  tensors.set(
    'evaluations',
    table(
      EVALUATION_COLUMNS + names.length,
      evaluations.map((one) => [
        one.step,
        one.epoch,
        Number(one.best),
        ...names.map((name) => one.measures[name]!),
      ]),
    ),
  );
  const metadata = { run: JSON.stringify(identity), measures: JSON.stringify(names) };
  await writeTensorFile(file, FORMAT, { tensors, metadata });
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
  const content = await readTensorFile(file, FORMAT).catch((error) => {
    if (error instanceof GranuleError && error.code === 'FILE_NOT_FOUND') return undefined;
    throw error;
  });
  if (content === undefined) return undefined;
  const found = differences(textsOf(content, 'run', file) as RunIdentity, identity);
  if (found.length > 0) {
    throw new GranuleError(
      'CHECKPOINT_MISMATCH',
      `${file} is the checkpoint of another run: ${found.join('; ')}. Repeat that run as it was, or name another file`,
      { file, differences: found },
    );
  }
  const group = (name: string) =>
    new Map(
      [...parameters].map(([parameter, { values }]) => [
        parameter,
        tensor(content, `${name}/${parameter}`, Float32Array, file, values.length),
      ]),
    );
  const measures = textsOf(content, 'measures', file) as readonly string[];
  const steps = rowsOf(tensor(content, 'steps', Float64Array, file), STEP_COLUMNS);
  const evaluations = rowsOf(
    tensor(content, 'evaluations', Float64Array, file),
    EVALUATION_COLUMNS + measures.length,
  );
  return {
    steps: steps.map(([epoch, loss, learningRate, gradientNorm, temperature], i) => ({
      step: i + 1,
      epoch: epoch!,
      loss: loss!,
      learningRate: learningRate!,
      gradientNorm: gradientNorm!,
      temperature: temperature!,
    })),
    evaluations: evaluations.map(([step, epoch, best, ...numbers]) => ({
      step: step!,
      epoch: epoch!,
      measures: Object.fromEntries(measures.map((name, i) => [name, numbers[i]!])),
      best: best === 1,
    })),
    values: group('values'),
    optimiser: { steps: steps.length, first: group('first'), second: group('second') },
    best: evaluations.length > 0 ? group('best') : undefined,
    mined: tensor(content, 'mined', Uint32Array, file),
  };
}

function table(columns: number, rows: readonly (readonly number[])[]): FileTensor {
  return { shape: [rows.length, columns], values: Float64Array.from(rows.flat()) };
}

function rowsOf(values: Float64Array, columns: number): number[][] {
  return Array.from({ length: values.length / columns }, (_, row) =>
    Array.from(values.subarray(row * columns, (row + 1) * columns)),
  );
}

function textsOf({ metadata }: TensorFile, name: string, file: string): unknown {
  try {
    return JSON.parse(metadata[name] ?? '');
  } catch {
    throw new GranuleError('TRAINING_FILE_INVALID', `${file} does not say what its run was (${name})`, {
      file,
    });
  }
}

function tensor<Numbers extends FileTensor['values']>(
  { tensors }: TensorFile,
  name: string,
  Kind: new (length: number) => Numbers,
  file: string,
  length?: number,
): Numbers {
  const values = tensors.get(name)?.values;
  if (!(values instanceof Kind) || (length !== undefined && values.length !== length)) {
    throw new GranuleError('TRAINING_FILE_INVALID', `${file} lacks ${name}, or has it in another size`, {
      file,
    });
  }
  return values;
}
