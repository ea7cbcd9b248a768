import { describe, expect, it } from 'vitest';
import { SeededRandom } from '../../../../src/ranking/seeded-random.js';
import { AdamW, type AdamWOptions } from '../../../../src/training/towers/adamw.js';
import { type Parameter, zeroParameter } from '../../../../src/training/towers/parameter.js';
import { Tower } from '../../../../src/training/towers/tower.js';
import { matrix } from '../../../../src/vectors/matrix.js';
import { sameBits } from './same-bits.js';

const OPTIONS = { learningRate: 0.05, betas: [0.8, 0.95], epsilon: 1e-6, weightDecay: 0.1 } as const;

/** A tensor of several blocks of the engine's, one of a few numbers, one of a single number. */
function parameters(seed: string): Map<string, Parameter> {
  const out = new Map([
    ['weight', zeroParameter([110, 80])],
    ['bias', zeroParameter([7])],
    ['log_temperature', zeroParameter([1])],
  ]);
  const random = new SeededRandom(seed);
  for (const { values } of out.values()) values.set(values.map(() => random.uniform(-1, 1)));
  return out;
}

function setGradients(into: ReadonlyMap<string, Parameter>, seed: string, scale = 1): void {
  const random = new SeededRandom(seed);
  for (const { gradient } of into.values()) {
    gradient.set(gradient.map(() => scale * random.uniform(-1, 1)));
  }
}

const valuesOf = (from: ReadonlyMap<string, Parameter>) =>
  [...from.values()].map(({ values }) => values.slice());

/** The norm as the engine adds it up: blocks of 4,096, eight lanes each, lanes pairwise. */
function slowNorm(from: ReadonlyMap<string, Parameter>): number {
  let sum = 0;
  for (const { gradient } of from.values()) {
    for (let first = 0; first < gradient.length; first += 4096) {
      const lane = new Float64Array(8);
      gradient.subarray(first, first + 4096).forEach((g, i) => {
        lane[i % 8]! += g * g;
      });
      const [a, b, c, d, e, f, g, h] = lane as unknown as [
        number,
        number,
        number,
        number,
        number,
        number,
        number,
        number,
      ];
      sum += a + b + (c + d) + (e + f + (g + h));
    }
  }
  return Math.sqrt(sum);
}

describe('AdamW', () => {
  it('has the bits of the formula, element by element, with clipping and without decay where that is asked for', async () => {
    for (const threads of [1, 2, 5]) {
      const [fast, slow] = [parameters('p'), parameters('p')];
      const adamw = new AdamW(fast, { ...OPTIONS, withoutDecay: ['bias', 'log_temperature'] });
      const moments = new Map(
        [...slow].map(([name, { values }]) => [name, [values.map(() => 0), values.map(() => 0)]]),
      );
      const [b1, b2] = OPTIONS.betas;
      let [power1, power2] = [1, 1];
      for (let step = 1; step <= 5; step++) {
        for (const set of [fast, slow]) setGradients(set, `g${step}`, step);
        const clip = step % 2 === 0 ? 3 : Number.POSITIVE_INFINITY;
        const { gradientNorm } = await adamw.step({ clip, threads, learningRate: 0.1 / step });
        const norm = slowNorm(slow);
        expect(gradientNorm).toBe(norm);
        const factor = norm > clip ? clip / norm : 1;
        // Repeated squaring and repeated multiplication may differ in the last bit from the fourth power on.
        power1 = step === 4 ? (b1 * b1) ** 2 : step === 5 ? b1 * (b1 * b1 * (b1 * b1)) : power1 * b1;
        power2 = step === 4 ? (b2 * b2) ** 2 : step === 5 ? b2 * (b2 * b2 * (b2 * b2)) : power2 * b2;
        for (const [name, { values, gradient }] of slow) {
          const [m, v] = moments.get(name)! as [Float32Array, Float32Array];
          const decay = name === 'weight' ? OPTIONS.weightDecay : 0;
          values.forEach((x, i) => {
            const g = factor * gradient[i]!;
            m[i] = b1 * m[i]! + (1 - b1) * g;
            v[i] = b2 * v[i]! + (1 - b2) * (g * g);
            const direction = m[i]! / (1 - power1) / (Math.sqrt(v[i]! / (1 - power2)) + OPTIONS.epsilon);
            values[i] = x - (0.1 / step) * (direction + decay * x);
          });
        }
        expect(sameBits(valuesOf(fast), valuesOf(slow))).toBe(true);
      }
      expect(adamw.steps).toBe(5);
    }
  });

  it('goes on from a state with the same bits', async () => {
    const [whole, parted] = [parameters('p'), parameters('p')];
    const first = new AdamW(whole, OPTIONS);
    let second = new AdamW(parted, OPTIONS);
    for (let step = 0; step < 6; step++) {
      for (const set of [whole, parted]) setGradients(set, `g${step}`);
      await first.step();
      if (step === 3) second = new AdamW(parted, { ...OPTIONS, state: second.state });
      await second.step();
    }
    expect(sameBits(valuesOf(parted), valuesOf(whole))).toBe(true);
    expect(sameBits([...second.state.second.values()], [...first.state.second.values()])).toBe(true);
    expect([...second.state.first.keys()]).toEqual([...whole.keys()]);
    expect(second.steps).toBe(6);
  });

  it('takes overlapping steps one after the other', async () => {
    const [together, oneByOne] = [parameters('p'), parameters('p')];
    const [a, b] = [new AdamW(together, OPTIONS), new AdamW(oneByOne, OPTIONS)];
    for (const set of [together, oneByOne]) setGradients(set, 'g');
    await Promise.all([a.step(), a.step({ clip: 1 }), a.step()]);
    for (const clip of [undefined, 1, undefined]) await b.step({ clip });
    expect(sameBits(valuesOf(together), valuesOf(oneByOne))).toBe(true);
  });

  it('changes nothing where a gradient is not finite, and says where it is', async () => {
    const set = parameters('p');
    const adamw = new AdamW(set, OPTIONS);
    setGradients(set, 'g');
    await adamw.step();
    const before = { values: valuesOf(set), first: [...adamw.state.first.values()].map((m) => m.slice()) };
    set.get('weight')!.gradient[5000] = Number.NaN;
    set.get('weight')!.gradient[6000] = Number.POSITIVE_INFINITY;
    await expect(adamw.step({ clip: 1 })).rejects.toMatchObject({
      code: 'NOT_FINITE',
      message: 'the gradient of weight, row 62, column 40 is NaN',
      details: { parameter: 'weight', row: 62, column: 40 },
    });
    setGradients(set, 'g');
    set.get('log_temperature')!.gradient[0] = Number.NEGATIVE_INFINITY;
    await expect(adamw.step()).rejects.toMatchObject({
      details: { parameter: 'log_temperature', row: 0, column: 0 },
    });
    setGradients(set, 'g', 1e25);
    await expect(adamw.step()).rejects.toMatchObject({ code: 'NOT_FINITE', details: {} });
    expect(sameBits(valuesOf(set), before.values)).toBe(true);
    expect(sameBits([...adamw.state.first.values()], before.first)).toBe(true);
    expect(adamw.steps).toBe(1);
    await adamw.step({ clip: 1 });
    expect(valuesOf(set).every((values) => values.every(Number.isFinite))).toBe(true);
    expect(adamw.steps).toBe(2);
  });

  it('takes gradients up to a norm whose square float32 holds, and none above', async () => {
    const set = parameters('p');
    const adamw = new AdamW(set, OPTIONS);
    set.get('weight')!.gradient[5] = 1.01e19;
    await expect(adamw.step()).rejects.toMatchObject({
      code: 'NOT_FINITE',
      message: expect.stringContaining("the gradient's norm is 1.01e+19"),
    });
    set.get('weight')!.gradient[5] = 0.99e19;
    await adamw.step();
    for (const moments of [adamw.state.first, adamw.state.second]) {
      expect([...moments.values()].every((values) => values.every(Number.isFinite))).toBe(true);
    }
  });

  it('refuses options that are none', () => {
    const set = parameters('p');
    const state = { steps: 1, first: new Map(), second: new Map() };
    const cases: readonly [AdamWOptions, string][] = [
      [{ learningRate: -1 }, 'INVALID_ARGUMENT'],
      [{ learningRate: Number.NaN }, 'INVALID_ARGUMENT'],
      [{ betas: [0.9, 1] }, 'INVALID_ARGUMENT'],
      [{ betas: 0.9 } as unknown as AdamWOptions, 'INVALID_ARGUMENT'],
      [{ betas: null } as unknown as AdamWOptions, 'INVALID_ARGUMENT'],
      [{ epsilon: 0 }, 'INVALID_ARGUMENT'],
      [{ weightDecay: -0.1 }, 'INVALID_ARGUMENT'],
      [{ withoutDecay: ['biass'] }, 'INVALID_ARGUMENT'],
      [{ state }, 'LENGTH_MISMATCH'],
      [{ state: { ...state, steps: -1 } }, 'INVALID_ARGUMENT'],
      [{ lr: 1 } as AdamWOptions, 'INVALID_ARGUMENT'],
    ];
    for (const [options, code] of cases) {
      expect(() => new AdamW(set, options), JSON.stringify(options)).toThrow(
        expect.objectContaining({ code }),
      );
    }
  });

  it('refuses steps that are none', async () => {
    const adamw = new AdamW(parameters('p'));
    for (const options of [{ clip: 0 }, { clip: Number.NaN }, { learningRate: -1 }, { threads: -1 }]) {
      await expect(adamw.step(options)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    }
    expect(adamw.steps).toBe(0);
  });
});

describe('a tower and AdamW', () => {
  it.each([
    [{ kind: 'linear', input: 8, output: 8 }],
    [{ kind: 'low-rank', dimension: 8, rank: 8 }],
    [{ kind: 'mlp', input: 8, hidden: 64, output: 8 }],
  ] as const)('learn a rotation: %o', async (shape) => {
    const tower = await Tower.create(shape, { seed: 3 });
    const adamw = new AdamW(tower.parameters, { learningRate: 0.02, weightDecay: 0, withoutDecay: [] });
    const random = new SeededRandom('x');
    const rows = 256;
    const x = new Float32Array(rows * 8).map(() => random.normal());
    const target = new Float32Array(rows * 8);
    for (let r = 0; r < rows; r++) {
      const row = x.subarray(r * 8, r * 8 + 8);
      const norm = Math.hypot(...row);
      row.set(row.map((value) => value / norm));
      // Numbers change places in pairs, one of each with its sign.
      target.set(
        row.map((_, i) => (i % 2 === 0 ? row[i + 1]! : -row[i - 1]!)),
        r * 8,
      );
    }
    const losses: number[] = [];
    for (let step = 0; step < 200; step++) {
      const pass = await tower.forward(matrix(x, 8));
      const { data } = pass.outputs;
      losses.push(1 - data.reduce((sum, y, i) => sum + y * target[i]!, 0) / rows);
      tower.zeroGradients();
      await pass.backward(
        matrix(
          target.map((t) => -t / rows),
          8,
        ),
      );
      await adamw.step({ clip: 1, learningRate: 0.02 * (1 - step / 200) });
    }
    expect(losses[0]).toBeGreaterThan(0.5);
    expect(losses.at(-1)).toBeLessThan(0.01);
  });
});
