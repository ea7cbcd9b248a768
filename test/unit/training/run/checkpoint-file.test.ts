import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { writeTensorFile } from '../../../../src/training/files/tensor-file.js';
import {
  isCheckpointDue,
  readCheckpointFile,
  writeCheckpointFile,
} from '../../../../src/training/run/checkpoint-file.js';
import { zeroParameter } from '../../../../src/training/towers/parameter.js';
import { temporaryFolder } from '../../corpus/temporary-folder.js';

const IDENTITY = { seed: '1' };
const PARAMETERS = new Map([
  ['weight', zeroParameter([2, 3])],
  ['bias', zeroParameter([2])],
]);
const group = (from: number) =>
  new Map([...PARAMETERS].map(([name, { values }]) => [name, values.map((_, i) => from + i)]));
const STATE = {
  groups: { values: group(0), first: group(0.5) },
  tables: {
    steps: [
      { step: 1, loss: 0.25 },
      { step: 2, loss: 1 / 3 },
      { step: 3, loss: -1e300 },
    ],
    evaluations: [],
  },
  lists: { mined: Uint32Array.of(7, 0xffff_ffff), none: new Uint32Array(0) },
};

describe('the state of a run', () => {
  it('comes back as it was written', async () => {
    const file = join(temporaryFolder(), 'run.checkpoint');
    expect(await readCheckpointFile(file, IDENTITY, PARAMETERS, [])).toBeUndefined();
    await writeCheckpointFile(file, IDENTITY, PARAMETERS, STATE);
    expect(await readCheckpointFile(file, IDENTITY, PARAMETERS, ['values', 'steps', 'mined'])).toEqual(STATE);
  });

  it('is refused where it lacks what its run needs', async () => {
    const file = join(temporaryFolder(), 'run.checkpoint');
    await writeCheckpointFile(file, IDENTITY, PARAMETERS, STATE);
    for (const lacking of ['second', 'epochs']) {
      await expect(readCheckpointFile(file, IDENTITY, PARAMETERS, ['values', lacking])).rejects.toMatchObject(
        {
          code: 'TRAINING_FILE_INVALID',
          message: expect.stringContaining(`lacks what its run had as ${lacking}`),
        },
      );
    }
  });

  it.each([
    { groups: [1], columns: {}, sizes: {} },
    { groups: [], columns: { steps: 'step' }, sizes: {} },
    { groups: [], columns: {}, sizes: { mined: -1 } },
    { groups: [], columns: {}, sizes: { mined: 0.5 } },
    { groups: [], columns: {} },
    { groups: [], sizes: {} },
    {},
  ])('is refused where it says nothing of a run: %j', async (layout) => {
    const file = join(temporaryFolder(), 'run.checkpoint');
    const format = { name: 'granule-training-checkpoint', version: '1', holds: 'a checkpoint of training' };
    const metadata = { run: JSON.stringify(IDENTITY), layout: JSON.stringify(layout) };
    await writeTensorFile(file, format, { tensors: new Map(), metadata });
    await expect(readCheckpointFile(file, IDENTITY, PARAMETERS, [])).rejects.toMatchObject({
      code: 'TRAINING_FILE_INVALID',
      message: expect.stringContaining("metadata 'layout'"),
    });
  });

  it('is due every so many steps, or else at the end of each epoch', () => {
    const due = (everySteps: number | undefined) =>
      [1, 2, 3, 4, 5, 6].filter((step) => isCheckpointDue({ file: 'f', everySteps }, step, step % 3 === 0));
    expect([due(undefined), due(0), due(2), due(4)]).toEqual([[3, 6], [3, 6], [2, 4, 6], [4]]);
  });
});
