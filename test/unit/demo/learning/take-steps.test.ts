import { describe, expect, it } from 'vitest';
import { type StepOptions, takeSteps } from '../../../../src/demo/learning/take-steps.js';
import { SeededRandom } from '../../../../src/ranking/seeded-random.js';
import { shuffled } from '../../../../src/ranking/shuffled.js';
import { AdamW } from '../../../../src/training/towers/adamw.js';
import { namedParameters } from '../../../../src/training/towers/parameter.js';
import { Tower } from '../../../../src/training/towers/tower.js';
import { sameBits } from '../../training/towers/same-bits.js';

const SHAPE = { kind: 'linear', input: 3, output: 2 } as const;
const OPTIONS: StepOptions = { seed: 7, epochs: 4, learningRate: 0.05, weightDecay: 0.5, threads: 1 };
/** Three whole batches of 32, and four that wait. */
const EXAMPLES = Array.from({ length: 100 }, (_, i) => i);

async function towers() {
  const made = { a: await Tower.create(SHAPE, { seed: 'a' }), b: await Tower.create(SHAPE, { seed: 'b' }) };
  for (const { gradient } of namedParameters(made).values()) gradient.fill(100);
  return made;
}

/** Gradients that depend on the batch, of which some norms are above 1 and some are not. */
function learn(of: Record<string, Tower>, batch: readonly number[]): number {
  const random = new SeededRandom(batch.join());
  const scale = 10 ** random.uniform(-1, 1);
  for (const { gradient } of namedParameters(of).values()) {
    gradient.set(gradient.map((slope) => slope + scale * random.normal()));
  }
  return scale;
}

const valuesOf = (of: Record<string, Tower>) => [...namedParameters(of).values()].map(({ values }) => values);

describe('the steps of a stage', () => {
  it('are those that are written down', async () => {
    const [fast, slow] = [await towers(), await towers()];
    const batches: (readonly number[])[] = [];
    const told: object[] = [];
    await takeSteps(
      'name',
      fast,
      EXAMPLES,
      { ...OPTIONS, onStep: (step) => told.push(step) },
      async (batch) => {
        batches.push(batch);
        return learn(fast, batch);
      },
    );
    const parameters = namedParameters(slow);
    const withoutDecay = ['a.bias', 'b.bias'];
    const optimiser = new AdamW(parameters, { weightDecay: 0.5, withoutDecay });
    const random = new SeededRandom('name 7');
    let order = EXAMPLES;
    for (let step = 1; step <= 12; step++) {
      const place = (step - 1) % 3;
      // Each epoch shuffles the order of the one before.
      if (place === 0) order = shuffled(order, random);
      const batch = order.slice(32 * place, 32 * place + 32);
      expect(batches[step - 1]).toEqual(batch);
      for (const { gradient } of parameters.values()) gradient.fill(0);
      const loss = learn(slow, batch);
      expect(told[step - 1]).toEqual({ step, steps: 12, loss });
      // A quarter of the steps rises, where that is below 20 steps.
      const rate = step <= 3 ? (0.05 * step) / 4 : (0.05 * (1 + Math.cos(Math.PI * ((step - 4) / 9)))) / 2;
      await optimiser.step({ learningRate: rate, clip: 1, threads: 1 });
    }
    expect(batches).toHaveLength(12);
    expect(sameBits(valuesOf(fast), valuesOf(slow))).toBe(true);
  });

  it('rise for 20 steps at most', async () => {
    const of = await towers();
    const start = valuesOf(of).map((values) => values.slice());
    const moved: number[] = [];
    const options = { ...OPTIONS, epochs: 40, weightDecay: 0 };
    await takeSteps('name', of, EXAMPLES, options, async () => {
      const values = valuesOf(of)[0]!;
      moved.push(Math.abs(values[0]! - start[0]![0]!));
      start[0]!.set(values);
      // AdamW moves by the rate where gradients are all alike.
      for (const { gradient } of namedParameters(of).values()) gradient.fill(1);
      return 1;
    });
    // What a step has moved shows in the next.
    expect(moved[10]! / moved[1]!).toBeCloseTo(10, 2);
    expect(moved.indexOf(Math.max(...moved))).toBe(21);
  });

  it('end where a loss is not finite', async () => {
    const of = await towers();
    let step = 0;
    const diverging = takeSteps('name', of, EXAMPLES, OPTIONS, async () => (++step < 3 ? 1 : Number.NaN));
    await expect(diverging).rejects.toMatchObject({ code: 'TRAINING_DIVERGED', details: { step: 3 } });
    expect(step).toBe(3);
  });
});

const FEW = { seed: 1, epochs: 2, learningRate: 1e-2, weightDecay: 0 };
const examples = (count: number) => Array.from({ length: count }, (_, i) => i);

describe('steps over examples', () => {
  it('are over whole batches, each example at most once an epoch', async () => {
    const tower = await Tower.create({ kind: 'linear', input: 2, output: 2 });
    const batches: (readonly number[])[] = [];
    const told: number[] = [];
    const options = {
      ...FEW,
      onStep: ({ step, steps }: { step: number; steps: number }) => told.push(step, steps),
    };
    await takeSteps('this', { tower }, examples(70), options, async (batch) => {
      batches.push(batch);
      return 1;
    });
    expect(batches.map(({ length }) => length)).toEqual([32, 32, 32, 32]);
    expect(told).toEqual([1, 4, 2, 4, 3, 4, 4, 4]);
    for (const epoch of [batches.slice(0, 2), batches.slice(2)]) {
      expect(new Set(epoch.flat()).size).toBe(64);
    }
    expect(batches[2]).not.toEqual(batches[0]);
  });

  it.each([
    ['a loss', async () => Number.NaN],
    [
      'a gradient',
      async (tower: Tower) => {
        tower.parameters.get('bias')!.gradient[0] = Number.POSITIVE_INFINITY;
        return 1;
      },
    ],
  ] as const)('stop with the name of the stage where %s is not finite', async (_, learn) => {
    const tower = await Tower.create({ kind: 'linear', input: 2, output: 2 });
    await expect(takeSteps('this', { tower }, examples(32), FEW, () => learn(tower))).rejects.toMatchObject({
      code: 'TRAINING_DIVERGED',
      message: expect.stringMatching(/^training of this stopped at step 1: /),
    });
  });

  it('are not taken on fewer examples than one needs', async () => {
    const tower = await Tower.create({ kind: 'linear', input: 2, output: 2 });
    await expect(takeSteps('this', { tower }, examples(31), FEW, async () => 1)).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: expect.stringContaining('there are 31'),
    });
  });
});
