import { describe, expect, it } from 'vitest';
import { SeededRandom } from '../../../../src/ranking/seeded-random.js';
import { inBatchContrastOfVectors } from '../../../../src/training/losses/in-batch-contrast-of-vectors.js';
import { patchContrastOfVectors } from '../../../../src/training/losses/patches/patch-contrast-of-vectors.js';
import { AdamW } from '../../../../src/training/towers/adamw.js';
import { Tower } from '../../../../src/training/towers/tower.js';
import type { TowerShape } from '../../../../src/training/towers/tower-shape.js';
import { Workspace } from '../../../../src/training/towers/workspace.js';
import { type Matrix, matrix } from '../../../../src/vectors/matrix.js';
import { sameBits } from './same-bits.js';

const SHAPE: TowerShape = { kind: 'mlp', input: 7, hidden: 5, output: 6 };

function vectors(rows: number, columns: number, seed: string): Matrix {
  const random = new SeededRandom(seed);
  return matrix(
    Float32Array.from({ length: rows * columns }, () => random.normal()),
    columns,
  );
}

/** Steps over batches of different sizes; the towers' parameters, and the buffers that the last step's arrays lie in. */
async function trained(sizes: readonly number[], workspace?: Workspace) {
  const [query, document] = [
    await Tower.create(SHAPE, { seed: 'q' }),
    await Tower.create(SHAPE, { seed: 'd' }),
  ];
  const optimiser = new AdamW(query.parameters, { learningRate: 0.05 });
  const buffers: ArrayBufferLike[][] = [];
  for (const [step, size] of sizes.entries()) {
    workspace?.nextStep();
    query.zeroGradients();
    const q = await query.forward(vectors(size, 7, `q${step}`), { workspace });
    const d = await document.forward(vectors(size, 7, `d${step}`), { workspace });
    const found = await inBatchContrastOfVectors(q.outputs, d.outputs, { temperature: 0.1, workspace });
    const inputGradient = await d.backward(found.documentGradient, { inputs: true, workspace });
    await q.backward(found.queryGradient, { workspace });
    await optimiser.step();
    const arrays = [q.outputs, d.outputs, found.queryGradient, found.documentGradient, inputGradient];
    buffers.push(arrays.map(({ data }) => data.buffer));
  }
  return { values: [...query.parameters.values()].map(({ values }) => values), buffers };
}

describe('Workspace', () => {
  it('changes no bit of training, whatever the batches sizes', async () => {
    const sizes = [9, 4, 12, 12, 1, 9];
    const own = await trained(sizes);
    const shared = await trained(sizes, new Workspace());
    expect(sameBits(shared.values, own.values)).toBe(true);
  });

  it('gives a step the memory of the step before, and all of a step memory of their own', async () => {
    const { buffers } = await trained([8, 8, 5], new Workspace());
    expect(new Set(buffers[0]).size).toBe(buffers[0]!.length);
    for (const step of [1, 2])
      for (const [i, buffer] of buffers[step]!.entries()) expect(buffer).toBe(buffers[0]![i]);
  });

  it('gives a larger batch larger memory, which smaller ones use afterwards', async () => {
    const { buffers } = await trained([3, 8, 3], new Workspace());
    for (const [i, buffer] of buffers[2]!.entries()) {
      expect(buffer).toBe(buffers[1]![i]);
      expect(buffer).not.toBe(buffers[0]![i]);
    }
  });

  it('serves contrasts of patches', async () => {
    const lists = (seed: string) => ({
      ...vectors(6, 5, seed),
      lengths: Uint32Array.of(1, 2, 3),
    });
    const options = { score: 'filip', temperature: 0.2 } as const;
    const expected = await patchContrastOfVectors(lists('t'), lists('i'), options);
    const workspace = new Workspace();
    // What lies there is overwritten.
    workspace.floats(30).fill(Number.NaN);
    workspace.floats(30).fill(Number.NaN);
    workspace.nextStep();
    const found = await patchContrastOfVectors(lists('t'), lists('i'), { ...options, workspace });
    const numbers = ({ wordGradient, patchGradient }: typeof found) => [
      wordGradient.data,
      patchGradient.data,
    ];
    expect(sameBits(numbers(found), numbers(expected))).toBe(true);
  });

  it('is one, or refused', async () => {
    const tower = await Tower.create(SHAPE);
    const workspace = {} as Workspace;
    const refused = {
      code: 'INVALID_ARGUMENT',
      message: expect.stringContaining('workspace must be a Workspace'),
    };
    const inputs = vectors(2, 7, 'x');
    await expect(tower.encode(inputs, { workspace })).rejects.toMatchObject(refused);
    await expect(tower.forward(inputs, { workspace })).rejects.toMatchObject(refused);
    const pass = await tower.forward(inputs);
    await expect(pass.backward(pass.outputs, { workspace })).rejects.toMatchObject(refused);
    const contrast = inBatchContrastOfVectors(pass.outputs, pass.outputs, { workspace });
    await expect(contrast).rejects.toMatchObject(refused);
  });
});
