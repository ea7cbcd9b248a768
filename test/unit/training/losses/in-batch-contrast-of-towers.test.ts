import { describe, expect, it } from 'vitest';
import { SeededRandom } from '../../../../src/ranking/seeded-random.js';
import {
  type ContrastSide,
  type InBatchContrastOfTowersOptions,
  inBatchContrastOfTowers,
} from '../../../../src/training/losses/in-batch-contrast-of-towers.js';
import { inBatchContrastOfVectors } from '../../../../src/training/losses/in-batch-contrast-of-vectors.js';
import { Tower } from '../../../../src/training/towers/tower.js';
import type { TowerShape } from '../../../../src/training/towers/tower-shape.js';
import { type Matrix, matrix } from '../../../../src/vectors/matrix.js';
import { sameBits } from '../towers/same-bits.js';

function vectors(rows: number, columns: number, seed: string): Matrix {
  const random = new SeededRandom(seed);
  return matrix(
    Float32Array.from({ length: rows * columns }, () => random.normal()),
    columns,
  );
}

const gradientsOf = (...towers: (Tower | undefined)[]) =>
  towers.flatMap((tower) => [...(tower?.parameters.values() ?? [])].map(({ gradient }) => gradient));

/** The calls that it stands for, one after the other. */
async function stepByStep(
  query: ContrastSide,
  document: ContrastSide,
  options: InBatchContrastOfTowersOptions,
) {
  const q = await query.tower?.forward(query.vectors);
  const d = await document.tower?.forward(document.vectors);
  const found = await inBatchContrastOfVectors(
    q?.outputs ?? query.vectors,
    d?.outputs ?? document.vectors,
    options,
  );
  await q?.backward(found.queryGradient);
  await d?.backward(found.documentGradient);
  return found;
}

const LINEAR: TowerShape = { kind: 'linear', input: 9, output: 6 };
const MLP: TowerShape = { kind: 'mlp', input: 7, hidden: 5, output: 6 };
const LOW_RANK: TowerShape = { kind: 'low-rank', dimension: 6, rank: 2, normalise: false };

/** Both sides, with towers of their own whose gradients are not 0 at first. */
async function sides(query: TowerShape | undefined, document: TowerShape | undefined, n: number, m: number) {
  const side = async (shape: TowerShape | undefined, rows: number, seed: string): Promise<ContrastSide> => {
    const tower = shape && (await Tower.create(shape, { seed }));
    for (const gradient of gradientsOf(tower)) gradient.fill(0.25);
    // `up` begins as 0, which would teach `down` nothing.
    tower?.parameters.get('up')?.values.fill(0.125);
    return { vectors: vectors(rows, tower?.input ?? 6, seed), tower };
  };
  return [await side(query, n, 'q'), await side(document, m, 'd')] as const;
}

describe('inBatchContrastOfTowers', () => {
  it.each([
    ['both linear', LINEAR, LINEAR, 5, 5, {}],
    [
      'other kinds, hard negatives',
      MLP,
      LOW_RANK,
      4,
      9,
      { temperature: 0.1, direction: 'query-to-document' },
    ],
    ['frozen documents', LOW_RANK, undefined, 6, 8, { positives: [7, 0, 3, 3, 1, 2], temperature: 0.3 }],
    ['frozen queries', undefined, MLP, 5, 5, { groups: Uint32Array.of(1, 1, 2, 3, 4), direction: 'both' }],
    [
      'no tower',
      undefined,
      undefined,
      5,
      6,
      { weights: Float32Array.of(1, 2, 0, 1, 1), excluded: [[5], [], [4], [], []] },
    ],
    ['one thread', LINEAR, MLP, 70, 70, { temperature: 0.05, threads: 1 }],
  ] as const)('has the bits of its parts: %s', async (_, query, document, n, m, options) => {
    const [apart, together] = [await sides(query, document, n, m), await sides(query, document, n, m)];
    const expected = await stepByStep(...apart, options);
    const found = await inBatchContrastOfTowers(...together, options);
    expect(found).toEqual({ loss: expected.loss, temperatureGradient: expected.temperatureGradient });
    const gradients = (both: readonly ContrastSide[]) => gradientsOf(...both.map(({ tower }) => tower));
    expect(sameBits(gradients(together), gradients(apart))).toBe(true);
    for (const gradient of gradients(together)) expect(gradient.some((value) => value !== 0.25)).toBe(true);
  });

  it('adds both gradients to a tower that maps both sides', async () => {
    const [one, other] = [await Tower.create(MLP, { seed: 1 }), await Tower.create(MLP, { seed: 1 })];
    const [q, d] = [vectors(5, 7, 'q'), vectors(5, 7, 'd')];
    await stepByStep({ vectors: q, tower: one }, { vectors: d, tower: one }, {});
    await inBatchContrastOfTowers({ vectors: q, tower: other }, { vectors: d, tower: other });
    expect(sameBits(gradientsOf(other), gradientsOf(one))).toBe(true);
  });

  it('takes its turn among calls that add to the same towers, crosswise too', async () => {
    const [a, b] = [await Tower.create(LINEAR, { seed: 1 }), await Tower.create(LINEAR, { seed: 2 })];
    const [one, two] = [vectors(300, 9, '1'), vectors(300, 9, '2')];
    const once = async (side: Tower, other: Tower) => {
      for (const gradient of gradientsOf(a, b)) gradient.fill(0);
      await inBatchContrastOfTowers({ vectors: one, tower: side }, { vectors: two, tower: other });
      return gradientsOf(a, b).map((gradient) => gradient.slice());
    };
    const [forth, back] = [await once(a, b), await once(b, a)];
    for (const gradient of gradientsOf(a, b)) gradient.fill(0);
    await Promise.all([
      inBatchContrastOfTowers({ vectors: one, tower: a }, { vectors: two, tower: b }),
      inBatchContrastOfTowers({ vectors: one, tower: b }, { vectors: two, tower: a }),
    ]);
    for (const [i, gradient] of gradientsOf(a, b).entries()) {
      for (const [j, value] of gradient.entries()) expect(value).toBeCloseTo(forth[i]![j]! + back[i]![j]!, 5);
    }
  });

  it('says which side a number that is not finite is of, and leaves gradients as they were', async () => {
    for (const side of [0, 1] as const) {
      const both = await sides(LINEAR, MLP, 4, 4);
      both[side].vectors.data[both[side].vectors.columns + 2] = Number.NaN;
      const failed = inBatchContrastOfTowers(...both);
      await expect(failed).rejects.toMatchObject({ code: 'NOT_FINITE', details: { row: 1, column: 2 } });
      await expect(failed).rejects.toThrow(['queries: ', 'documents: '][side]);
      for (const gradient of gradientsOf(both[0].tower, both[1].tower))
        expect(gradient.every((value) => value === 0.25)).toBe(true);
    }
  });

  it('is stopped by its signal, and refuses what it cannot work on', async () => {
    const [query, document] = await sides(LINEAR, LINEAR, 4, 4);
    const aborted = inBatchContrastOfTowers(query, document, { signal: AbortSignal.abort() });
    await expect(aborted).rejects.toMatchObject({ code: 'ABORTED' });
    const tower = await Tower.create(LINEAR);
    const refused = [
      [{ ...query, tower: {} as Tower }, document, {}, 'INVALID_ARGUMENT', 'query.tower must be a Tower'],
      [{ ...query, vector: 1 } as ContrastSide, document, {}, 'INVALID_ARGUMENT', 'vector'],
      [query, { vectors: vectors(4, 8, 'x'), tower }, {}, 'LENGTH_MISMATCH', 'document.vectors'],
      [query, { vectors: vectors(4, 5, 'x') }, {}, 'LENGTH_MISMATCH', 'queries have 6 numbers'],
      [query, { vectors: vectors(3, 9, 'x'), tower }, {}, 'LENGTH_MISMATCH', '4 queries'],
      [query, document, { workspace: {} } as object, 'INVALID_ARGUMENT', 'workspace'],
    ] as const;
    for (const [q, d, options, code, message] of refused) {
      const call = inBatchContrastOfTowers(q, d, options);
      await expect(call).rejects.toMatchObject({ code, message: expect.stringContaining(message) });
    }
  });
});
