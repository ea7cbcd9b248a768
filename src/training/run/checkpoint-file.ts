import { GranuleError } from '../../errors.js';
import { checkKeys, show } from '../../index/arguments.js';
import { type FileTensor, readTensorFile, writeTensorFile } from '../files/tensor-file.js';
import { invalidTrainingFile, parseObject, type TensorPlan } from '../files/tensor-file-header.js';
import type { Parameter } from '../towers/parameter.js';
import { differences, type RunIdentity } from './run-identity.js';

const FORMAT = {
  name: 'granule-training-checkpoint',
  version: '1',
  holds: 'a checkpoint of training',
} as const;

/** Where a run keeps its state, so that it can go on after it was killed. */
export interface CheckpointOptions {
  /** Written again and again; it is there as a whole or not at all. A run with the same data and options goes on from it. */
  readonly file: string;
  /** Steps between two; 0, the default, means at the end of each epoch. */
  readonly everySteps?: number | undefined;
}

/** @throws GranuleError `INVALID_ARGUMENT` */
export function checkCheckpoint(checkpoint: CheckpointOptions | undefined): void {
  if (checkpoint === undefined) return;
  checkKeys(checkpoint, ['file', 'everySteps']);
  const { file, everySteps = 0 } = checkpoint;
  if (typeof file !== 'string' || file === '') {
    throw new GranuleError('INVALID_ARGUMENT', `checkpoint.file must be a path, got ${show(file)}`);
  }
  if (!Number.isSafeInteger(everySteps) || everySteps < 0) {
    throw new GranuleError(
      'INVALID_ARGUMENT',
      `checkpoint.everySteps must be a whole number of at least 0, got ${show(everySteps)}`,
    );
  }
}

/** Whether the state is to be written after a step. */
export function isCheckpointDue(
  { everySteps = 0 }: CheckpointOptions,
  step: number,
  endOfEpoch: boolean,
): boolean {
  return everySteps === 0 ? endOfEpoch : step % everySteps === 0;
}

/** A row of a table: finite numbers by name. */
export type TableRow = Readonly<Record<string, number>>;

/** All that a run needs to go on with the same bits. */
export interface CheckpointState {
  /** Numbers per parameter, such as its values and the optimiser's means, by what they are. */
  readonly groups: Readonly<Record<string, ReadonlyMap<string, Float32Array>>>;
  /** What has happened; the rows of a table have the same names. */
  readonly tables: Readonly<Record<string, readonly TableRow[]>>;
  /** Whole numbers. */
  readonly lists: Readonly<Record<string, Uint32Array>>;
}

/**
 * Writes a checkpoint in place of the one before.
 *
 * @param parameters - give the groups' tensors their shapes
 * @throws GranuleError `NOT_FINITE`, `FILE_NOT_WRITABLE`
 */
export async function writeCheckpointFile(
  file: string,
  identity: RunIdentity,
  parameters: ReadonlyMap<string, Pick<Parameter, 'shape'>>,
  { groups, tables, lists }: CheckpointState,
): Promise<void> {
  const tensors = new Map<string, FileTensor>();
  const columns: Record<string, readonly string[]> = {};
  for (const [table, rows] of Object.entries(tables)) {
    const names = Object.keys(rows[0] ?? {});
    columns[table] = names;
    tensors.set(table, {
      shape: [rows.length, names.length],
      values: Float64Array.from(rows.flatMap((row) => names.map((name) => row[name]!))),
    });
  }
  for (const [name, values] of Object.entries(lists)) tensors.set(name, { shape: [values.length], values });
  for (const [group, kept] of Object.entries(groups)) {
    for (const [name, values] of kept) {
      tensors.set(`${group}/${name}`, { shape: parameters.get(name)!.shape, values });
    }
  }
  const sizes = [...Object.keys(tables), ...Object.keys(lists)].map((name) => [
    name,
    tensors.get(name)!.shape[0],
  ]);
  const layout = { groups: Object.keys(groups), columns, sizes: Object.fromEntries(sizes) };
  const metadata = { run: JSON.stringify(identity), layout: JSON.stringify(layout) };
  await writeTensorFile(file, FORMAT, { tensors, metadata });
}

/**
 * Reads the checkpoint of a run.
 *
 * @param needed - names of groups, tables and lists without which there is nothing to go on from
 * @returns undefined where there is none
 * @throws GranuleError `TRAINING_FILE_INVALID`; `CHECKPOINT_MISMATCH` where it is another run's
 */
export async function readCheckpointFile(
  file: string,
  identity: RunIdentity,
  parameters: ReadonlyMap<string, Parameter>,
  needed: readonly string[],
): Promise<CheckpointState | undefined> {
  const planned = (metadata: Readonly<Record<string, string>>): TensorPlan[] => {
    const found = differences(parseObject(metadata['run'], file, "metadata 'run'") as RunIdentity, identity);
    if (found.length > 0) {
      throw new GranuleError(
        'CHECKPOINT_MISMATCH',
        `${file} is the checkpoint of another run: ${found.join('; ')}. Repeat that run as it was, delete the file to begin anew, or name another`,
        { file, differences: found },
      );
    }
    const layout = layoutOf(metadata, file);
    const lacking = needed.find(
      (name) => !layout.groups.includes(name) && !Object.hasOwn(layout.sizes, name),
    );
    if (lacking !== undefined) throw invalidTrainingFile(file, `lacks what its run had as ${lacking}`);
    return tensorsOf(layout, parameters);
  };
  const content = await readTensorFile(file, FORMAT, planned).catch((error: unknown) => {
    if (error instanceof GranuleError && error.code === 'FILE_NOT_FOUND') return undefined;
    throw error;
  });
  if (content === undefined) return undefined;
  const { groups, columns, sizes } = layoutOf(content.metadata, file);
  const numbersOf = <Numbers extends FileTensor['values']>(name: string) =>
    content.tensors.get(name)!.values as Numbers;
  const group = (name: string) =>
    new Map([...parameters.keys()].map((own) => [own, numbersOf<Float32Array>(`${name}/${own}`)]));
  return {
    groups: Object.fromEntries(groups.map((name) => [name, group(name)])),
    tables: Object.fromEntries(
      Object.entries(columns).map(([name, names]) => [name, rowsOf(numbersOf(name), names)]),
    ),
    lists: Object.fromEntries(
      Object.keys(sizes)
        .filter((name) => columns[name] === undefined)
        .map((name) => [name, numbersOf<Uint32Array>(name)]),
    ),
  };
}

/** What a checkpoint holds. */
interface Layout {
  readonly groups: readonly string[];
  readonly columns: Readonly<Record<string, readonly string[]>>;
  /** Rows of tables, and lengths of lists. */
  readonly sizes: Readonly<Record<string, number>>;
}

function layoutOf({ layout }: Readonly<Record<string, string>>, file: string): Layout {
  const { groups, columns, sizes } = parseObject(layout, file, "metadata 'layout'") as Partial<Layout>;
  const areTexts = (list: unknown) => Array.isArray(list) && list.every((item) => typeof item === 'string');
  const isSize = (size: unknown) => Number.isSafeInteger(size) && (size as number) >= 0;
  const makesSense =
    areTexts(groups) &&
    Object.values(columns ?? {}).every(areTexts) &&
    Object.values(sizes ?? {}).every(isSize);
  if (!makesSense || columns === undefined || sizes === undefined) {
    throw invalidTrainingFile(file, "has metadata 'layout' that says nothing of a run");
  }
  return { groups: groups!, columns, sizes };
}

function tensorsOf(
  { groups, columns, sizes }: Layout,
  parameters: ReadonlyMap<string, Parameter>,
): TensorPlan[] {
  return [
    ...Object.entries(sizes).map(([name, size]): TensorPlan => {
      const names = columns[name];
      return names === undefined
        ? { name, dtype: 'U32', shape: [size] }
        : { name, dtype: 'F64', shape: [size, names.length] };
    }),
    ...groups.flatMap((group) =>
      [...parameters].map(
        ([name, { shape }]): TensorPlan => ({ name: `${group}/${name}`, dtype: 'F32', shape }),
      ),
    ),
  ];
}

function rowsOf(values: Float64Array, names: readonly string[]): TableRow[] {
  return Array.from({ length: names.length === 0 ? 0 : values.length / names.length }, (_, row) =>
    Object.fromEntries(names.map((name, column) => [name, values[row * names.length + column]!])),
  );
}
