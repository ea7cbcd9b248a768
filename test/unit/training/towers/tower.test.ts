import { describe, expect, it } from 'vitest';
import { SeededRandom } from '../../../../src/ranking/seeded-random.js';
import { namedParameters } from '../../../../src/training/towers/parameter.js';
import { Tower } from '../../../../src/training/towers/tower.js';
import type { TowerShape } from '../../../../src/training/towers/tower-shape.js';
import { type Matrix, matrix, matrixRow } from '../../../../src/vectors/matrix.js';
import { sameBits } from './same-bits.js';
import { slowGradients, slowOutputs, type Values } from './slow-tower.js';

const SHAPES: readonly TowerShape[] = [
  { kind: 'linear', input: 7, output: 5 },
  { kind: 'linear', input: 6, output: 6, bias: false, normalise: false },
  { kind: 'low-rank', dimension: 9, rank: 3, scale: 0.5 },
  { kind: 'low-rank', dimension: 8, rank: 2, normalise: false },
  { kind: 'mlp', input: 6, hidden: 11, output: 4 },
  { kind: 'mlp', input: 7, hidden: 5, output: 7, residual: true },
  { kind: 'mlp', input: 7, hidden: 9, output: 7, residual: true, bias: false, normalise: false },
];
const NAMED = SHAPES.map((shape) => [JSON.stringify(shape), shape] as const);

function randomNumbers(length: number, seed: string, scale = 1): Float32Array {
  const random = new SeededRandom(seed);
  return Float32Array.from({ length }, () => scale * random.uniform(-1, 1));
}

/** A tower all of whose parameters, biases too, are random. */
async function randomTower(shape: TowerShape): Promise<Tower> {
  const tower = await Tower.create(shape);
  for (const [name, { values }] of tower.parameters) values.set(randomNumbers(values.length, name, 0.6));
  return tower;
}

const valuesOf = (tower: Tower): Values =>
  Object.fromEntries([...tower.parameters].map(([name, { values }]) => [name, Float64Array.from(values)]));
const gradientsOf = (tower: Tower) => [...tower.parameters.values()].map(({ gradient }) => gradient.slice());

/** The greatest difference, as a share of the greatest number. */
function difference(found: ArrayLike<number>, expected: ArrayLike<number>): number {
  const greatest = Array.from(expected).reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const furthest = Array.from(expected).reduce(
    (most, value, i) => Math.max(most, Math.abs(value - found[i]!)),
    0,
  );
  return found.length === expected.length ? furthest / greatest : Number.POSITIVE_INFINITY;
}

/** Central differences of sum of `g` times the outputs, with respect to each of `numbers`, which `outputs` reads. */
function finiteDifferences(numbers: Float64Array, g: Float64Array, outputs: () => number[]): Float64Array {
  const step = 1e-5;
  const objective = () => outputs().reduce((sum, y, i) => sum + y * g[i]!, 0);
  return numbers.map((value, i) => {
    numbers[i] = value + step;
    const above = objective();
    numbers[i] = value - step;
    const below = objective();
    numbers[i] = value;
    return (above - below) / (2 * step);
  });
}

describe.each(NAMED)('a tower %s', (_, shape) => {
  it('has the gradients of finite differences, and float32 those of float64', async () => {
    const tower = await randomTower(shape);
    const x = matrix(randomNumbers(6 * tower.input, 'x'), tower.input);
    const g = randomNumbers(6 * tower.output, 'g');
    const values = valuesOf(tower);
    const [inputs, slope] = [Float64Array.from(x.data), Float64Array.from(g)];
    const outputs = () => slowOutputs(shape, values, inputs, tower.input);
    const slow = slowGradients(shape, values, inputs, tower.input, slope);
    for (const [name, numbers] of Object.entries(values)) {
      expect(difference(slow.parameters[name]!, finiteDifferences(numbers, slope, outputs))).toBeLessThan(
        1e-6,
      );
    }
    expect(difference(slow.inputs, finiteDifferences(inputs, slope, outputs))).toBeLessThan(1e-6);

    const pass = await tower.forward(x);
    const inputGradient = await pass.backward(matrix(g, tower.output), { inputs: true });
    // float32 has 24 bits: what is asked for is 1e-3, and what is there is far below.
    expect(difference(pass.outputs.data, outputs())).toBeLessThan(2e-6);
    expect(difference(inputGradient.data, slow.inputs)).toBeLessThan(2e-6);
    for (const [name, { gradient }] of tower.parameters) {
      expect(difference(gradient, slow.parameters[name]!)).toBeLessThan(2e-6);
    }
  });

  it('has the same bits for every number of threads, alone and in a batch, in a list and in a pass', async () => {
    const tower = await randomTower(shape);
    const rows = 2500;
    const x = matrix(randomNumbers(rows * tower.input, 'x'), tower.input);
    const g = matrix(randomNumbers(rows * tower.output, 'g'), tower.output);
    const results: Float32Array[][] = [];
    for (const threads of [1, 2, 5]) {
      tower.zeroGradients();
      const pass = await tower.forward(x, { threads });
      const inputs = await pass.backward(g, { threads, inputs: true });
      results.push([pass.outputs.data, inputs.data, ...gradientsOf(tower)]);
    }
    expect(sameBits(results[1]!, results[0]!)).toBe(true);
    expect(sameBits(results[2]!, results[0]!)).toBe(true);
    const outputs = results[0]![0]!;
    expect(sameBits([(await tower.encode(x)).data], [outputs])).toBe(true);
    const lengths = Uint32Array.of(1000, 0, rows - 1000);
    const ragged = await tower.encode({ data: x.data, lengths, columns: tower.input });
    expect(ragged).toMatchObject({ lengths, columns: tower.output });
    expect(sameBits([ragged.data], [outputs])).toBe(true);
    for (const row of [0, 2047, 2048, 2499]) {
      const alone = await tower.encode(matrix(matrixRow(x, row), tower.input));
      expect(alone.data).toEqual(outputs.slice(row * tower.output, (row + 1) * tower.output));
    }
  });

  it('adds to gradients, one backward pass after the other', async () => {
    const tower = await randomTower(shape);
    const part = (seed: string, width: number) => matrix(randomNumbers(400 * width, seed), width);
    const [first, second] = await Promise.all([
      tower.forward(part('x1', tower.input)),
      tower.forward(part('x2', tower.input)),
    ]);
    await first.backward(part('g1', tower.output));
    const afterFirst = gradientsOf(tower);
    await second.backward(part('g2', tower.output));
    const oneByOne = gradientsOf(tower);
    tower.zeroGradients();
    expect(gradientsOf(tower).every((gradient) => gradient.every((value) => value === 0))).toBe(true);
    await second.backward(part('g2', tower.output));
    for (const [i, alone] of gradientsOf(tower).entries()) {
      const sum = alone.map((value, k) => value + afterFirst[i]![k]!);
      expect(difference(oneByOne[i]!, sum)).toBeLessThan(1e-5);
    }
    tower.zeroGradients();
    const bad = { ...part('g1', tower.output) };
    bad.data[3] = Number.NaN;
    const refused = first.backward(bad).catch((error) => error.code);
    await Promise.all([first.backward(part('g1', tower.output)), second.backward(part('g2', tower.output))]);
    expect(await refused).toBe('NOT_FINITE');
    expect(gradientsOf(tower)).toEqual(oneByOne);
  });
});

describe('rows that are not ordinary', () => {
  const shape = { kind: 'linear', input: 4, output: 3, bias: false } as const;

  it('keep their direction, however long or short they are; without one they are zero and teach nothing', async () => {
    const tower = await randomTower(shape);
    const scales = [1, 2 ** 100, 2 ** -100, 0];
    const x = matrix(Float32Array.from(scales.flatMap((scale) => [scale, -scale, 2 * scale, 0])), 4);
    const pass = await tower.forward(x);
    const row = (r: number) => matrixRow(pass.outputs as Matrix, r);
    expect(row(1)).toEqual(row(0));
    expect(row(3)).toEqual(new Float32Array(3));
    // 2^-100 is below the least norm, 1e-12.
    const norm = (r: number) => Math.hypot(...row(r));
    expect(norm(2)).toBeLessThan(1e-17);
    expect(norm(2)).toBeGreaterThan(0);
    const g = new Float32Array(12);
    g.set([1, 1, 1, 1, 1, 1], 6);
    const inputs = await pass.backward(matrix(g, 3), { inputs: true });
    expect(gradientsOf(tower)[0]!.every((value) => value === 0)).toBe(true);
    expect(inputs.data.every((value) => value === 0)).toBe(true);
  });

  it('are refused with their place where they are not finite', async () => {
    const tower = await randomTower(shape);
    const x = randomNumbers(5000 * 4, 'x');
    x[4321 * 4 + 2] = Number.NEGATIVE_INFINITY;
    x[4400 * 4] = Number.NaN;
    await expect(tower.encode(matrix(x, 4))).rejects.toMatchObject({
      code: 'NOT_FINITE',
      message: 'row 4321, column 2 is -Infinity',
      details: { row: 4321, column: 2 },
    });
    const g = randomNumbers(12, 'g');
    g[7] = Number.NaN;
    const pass = await tower.forward(matrix(x.slice(0, 16), 4));
    await expect(pass.backward(matrix(g, 3))).rejects.toMatchObject({
      code: 'NOT_FINITE',
      details: { row: 2, column: 1 },
    });
    expect(gradientsOf(tower)[0]!.every((value) => value === 0)).toBe(true);
  });

  it('are refused where an output is beyond float32, in a hidden layer too', async () => {
    const values = { 'hidden.weight': Float32Array.of(3e38, 3e38), 'output.weight': Float32Array.of(0) };
    const tower = Tower.from({ kind: 'mlp', input: 2, hidden: 1, output: 1, bias: false }, values);
    const x = matrix(Float32Array.of(0.1, 0.1, -1, -1, 1, 1), 2);
    await expect(tower.encode(x)).rejects.toMatchObject({
      code: 'NOT_FINITE',
      details: { row: 2, column: 0 },
    });
    values['hidden.weight'].fill(Number.NaN);
    await expect(tower.encode(x)).rejects.toMatchObject({
      code: 'NOT_FINITE',
      details: { row: 0, column: 0 },
    });
  });

  it('may be none', async () => {
    const tower = await randomTower(shape);
    const pass = await tower.forward(matrix(new Float32Array(0), 4));
    expect(pass.outputs).toEqual({ data: new Float32Array(0), rows: 0, columns: 3 });
    await pass.backward(matrix(new Float32Array(0), 3));
  });
});

describe('the start of a tower', () => {
  it('is random by its seed and the same on every machine', async () => {
    const shape = { kind: 'mlp', input: 6, hidden: 5, output: 4 } as const;
    const tower = await Tower.create(shape, { seed: 7 });
    const weights = (name: string) => tower.parameters.get(name)!.values;
    const random = new SeededRandom('7/hidden.weight');
    expect(weights('hidden.weight')).toEqual(Float32Array.from({ length: 30 }, () => random.uniform(-1, 1)));
    const bound = Math.sqrt(6 / 9);
    const other = new SeededRandom('7/output.weight');
    expect(weights('output.weight')).toEqual(
      Float32Array.from({ length: 20 }, () => other.uniform(-bound, bound)),
    );
    expect(weights('hidden.bias')).toEqual(new Float32Array(5));
    expect([...tower.parameters].map(([name, parameter]) => [name, parameter.shape])).toEqual([
      ['hidden.weight', [5, 6]],
      ['hidden.bias', [5]],
      ['output.weight', [4, 5]],
      ['output.bias', [4]],
    ]);
    expect((await Tower.create(shape, { seed: 8 })).parameters).not.toEqual(tower.parameters);
  });

  it.each([
    [{ kind: 'low-rank', dimension: 6, rank: 2, normalise: false }, {}],
    [{ kind: 'mlp', input: 6, hidden: 9, output: 6, residual: true, normalise: false }, {}],
    [{ kind: 'linear', input: 6, output: 6, normalise: false }, { start: 'identity' }],
  ] as const)('is the identity for %o', async (shape, options) => {
    const tower = await Tower.create(shape, options);
    const x = matrix(randomNumbers(60, 'x'), 6);
    expect((await tower.encode(x)).data).toEqual(x.data);
    const pass = await tower.forward(x);
    await pass.backward(matrix(randomNumbers(60, 'g'), 6));
    expect(gradientsOf(tower).some((gradient) => gradient.some((value) => value !== 0))).toBe(true);
  });

  it('may be given', async () => {
    const tower = await randomTower({ kind: 'low-rank', dimension: 5, rank: 2 });
    const values = Object.fromEntries([...tower.parameters].map(([name, { values: v }]) => [name, v]));
    const same = Tower.from(tower.shape, values);
    const x = matrix(randomNumbers(15, 'x'), 5);
    expect((await same.encode(x)).data).toEqual((await tower.encode(x)).data);
    expect(() => Tower.from(tower.shape, { ...values, up: new Float32Array(9) })).toThrow(
      expect.objectContaining({ code: 'LENGTH_MISMATCH' }),
    );
    expect(() => Tower.from(tower.shape, { up: values['up']! })).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
    );
    expect([...namedParameters({ query: tower, entity: same }).keys()]).toEqual([
      'query.down',
      'query.up',
      'entity.down',
      'entity.up',
    ]);
  });
});

describe('what a tower refuses', () => {
  it.each([
    [{ kind: 'cubic' }, 'INVALID_ARGUMENT'],
    [undefined, 'INVALID_ARGUMENT'],
    [{ kind: 'linear', input: 0, output: 1 }, 'DIMENSION_INVALID'],
    [{ kind: 'linear', input: 2, output: 65_537 }, 'DIMENSION_INVALID'],
    [{ kind: 'linear', input: 2, output: 2, rank: 2 }, 'INVALID_ARGUMENT'],
    [{ kind: 'low-rank', dimension: 4, rank: 1.5 }, 'DIMENSION_INVALID'],
    [{ kind: 'low-rank', dimension: 4, rank: 2, scale: Number.NaN }, 'INVALID_ARGUMENT'],
    [{ kind: 'mlp', input: 4, hidden: 2, output: 3, residual: true }, 'INVALID_ARGUMENT'],
    [{ kind: 'mlp', input: 4, output: 3 }, 'DIMENSION_INVALID'],
  ])('the shape %o', async (shape, code) => {
    await expect(Tower.create(shape as TowerShape)).rejects.toMatchObject({ code });
  });

  it('starts and seeds that are none, and an identity between different lengths', async () => {
    const shape = { kind: 'linear', input: 4, output: 3 } as const;
    for (const options of [{ start: 'zero' }, { seed: Number.NaN }, { start: 'identity' }, { sead: 1 }]) {
      await expect(Tower.create(shape, options as object)).rejects.toMatchObject({
        code: 'INVALID_ARGUMENT',
      });
    }
  });

  it('vectors and gradients of other sizes', async () => {
    const tower = await randomTower({ kind: 'linear', input: 4, output: 3 });
    const wrong = { code: 'LENGTH_MISMATCH' };
    await expect(tower.encode(matrix(new Float32Array(6), 3))).rejects.toMatchObject(wrong);
    await expect(tower.encode({ data: new Float32Array(8), rows: 3, columns: 4 })).rejects.toMatchObject(
      wrong,
    );
    const lengths = Uint32Array.of(1, 2);
    await expect(tower.encode({ data: new Float32Array(8), lengths, columns: 4 })).rejects.toMatchObject(
      wrong,
    );
    const pass = await tower.forward(matrix(new Float32Array(8), 4));
    await expect(pass.backward(matrix(new Float32Array(9), 3))).rejects.toMatchObject(wrong);
    await expect(tower.encode(new Float32Array(8) as unknown as Matrix)).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
    });
  });

  it('to go on once it is aborted', async () => {
    const tower = await randomTower({ kind: 'mlp', input: 64, hidden: 512, output: 64 });
    await expect(
      tower.encode(matrix(new Float32Array(64), 64), { signal: AbortSignal.abort() }),
    ).rejects.toMatchObject({ code: 'ABORTED' });
    const controller = new AbortController();
    const call = tower.encode(matrix(new Float32Array(64 * 100_000), 64), { signal: controller.signal });
    controller.abort();
    await expect(call).rejects.toMatchObject({ code: 'ABORTED' });
    await expect(
      Tower.create({ kind: 'linear', input: 2000, output: 2000 }, { signal: AbortSignal.timeout(2) }),
    ).rejects.toMatchObject({ code: 'ABORTED' });
  });
});
