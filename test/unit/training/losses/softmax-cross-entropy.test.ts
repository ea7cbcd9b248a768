import { describe, expect, it } from 'vitest';
import { softmaxCrossEntropy } from '../../../../src/training/losses/softmax-cross-entropy.js';
import {
  closeTo,
  expectDerivative,
  expectFinite,
  expectGradient,
  normals,
  overSizes,
  plainSoftmax,
} from './finite-differences.js';

const FORMS = ['log-of-sum', 'mean-of-logs'] as const;

function positives(size: number, random: { chance(p: number): boolean }): Float64Array {
  const targets = Float64Array.from({ length: size }, () => (random.chance(0.4) ? 1 : 0));
  targets[size - 1] = 2;
  return targets;
}

describe.each(FORMS)('softmaxCrossEntropy, %s', (form) => {
  it('is its formula', () => {
    overSizes((random, size) => {
      const scores = normals(random, size);
      const targets = positives(size, random);
      const p = plainSoftmax(scores, 0.5).filter((_, i) => targets[i]! > 0);
      const expected =
        form === 'log-of-sum'
          ? -Math.log(p.reduce((a, b) => a + b, 0))
          : p.reduce((sum, share) => sum - Math.log(share), 0) / p.length;
      closeTo(softmaxCrossEntropy(scores, targets, { temperature: 0.5, form }).loss, expected);
    });
  });

  it('has the gradients of finite differences', () => {
    overSizes((random, size) => {
      const targets = positives(size, random);
      const scores = normals(random, size);
      for (const temperature of [1, 0.1]) {
        const loss = (s: Float64Array, t = temperature) =>
          softmaxCrossEntropy(s, targets, { temperature: t, form }).loss;
        const found = softmaxCrossEntropy(scores, targets, { temperature, form });
        expectGradient(loss, scores, found.gradient, { step: 1e-3 * temperature });
        expectDerivative((t) => loss(scores, t), temperature, found.temperatureGradient);
      }
    });
  });

  it('has them for ties and for scores of 1e3', () => {
    const lists = [Float64Array.of(2, 2, 2), Float64Array.of(1e3, -1e3, 1e3), Float64Array.of(-1e3, 0, 1e3)];
    for (const scores of lists) {
      const targets = Float64Array.of(1, 0, 1);
      const found = softmaxCrossEntropy(scores, targets, { form });
      expectFinite([found.loss, ...found.gradient, found.temperatureGradient]);
      expectGradient((s) => softmaxCrossEntropy(s, targets, { form }).loss, scores, found.gradient);
    }
    closeTo(softmaxCrossEntropy(Float64Array.of(-1e3, 1e3), Float64Array.of(1, 0), { form }).loss, 2e3);
  });

  it('reads float32 as the numbers they are', () => {
    const targets = Float32Array.of(0, 1, 1);
    const scores = Float32Array.of(0.1, 0.7, -3);
    const wide = softmaxCrossEntropy(Float64Array.from(scores), Float64Array.from(targets), { form });
    expect(softmaxCrossEntropy(scores, targets, { form })).toEqual(wide);
    expect(wide.gradient).toBeInstanceOf(Float64Array);
  });
});

describe('softmaxCrossEntropy', () => {
  it('is the same in both forms with one positive, and 0 for a list of one', () => {
    const scores = Float64Array.of(1, -2, 0.5);
    const [sum, mean] = FORMS.map((form) => softmaxCrossEntropy(scores, Float64Array.of(0, 1, 0), { form }));
    closeTo(sum!.loss, mean!.loss);
    const one = softmaxCrossEntropy(Float64Array.of(7), Float64Array.of(1));
    closeTo(one.loss, 0);
    expect(Math.abs(one.gradient[0]!)).toBe(0);
  });

  it('has nothing to teach by the sum, and equal scores by the mean, where all are positives', () => {
    const scores = Float64Array.of(1, -2, 0.5);
    const all = new Float64Array(3).fill(1);
    const sum = softmaxCrossEntropy(scores, all);
    for (const value of [sum.loss, ...sum.gradient]) closeTo(value, 0);
    const mean = softmaxCrossEntropy(scores, all, { form: 'mean-of-logs' });
    expect([...mean.gradient].map(Math.sign)).toEqual([1, -1, 1]);
  });

  it('is content with one good positive by the sum, and not by the mean', () => {
    const scores = Float64Array.of(20, -20, 0);
    const targets = Float64Array.of(1, 1, 0);
    expect(softmaxCrossEntropy(scores, targets).loss).toBeLessThan(1e-8);
    expect(softmaxCrossEntropy(scores, targets, { form: 'mean-of-logs' }).loss).toBeCloseTo(20);
  });

  it.each([
    ['TARGET_INVALID', () => softmaxCrossEntropy(Float64Array.of(1, 2), Float64Array.of(0, 0))],
    ['NOT_FINITE', () => softmaxCrossEntropy(Float64Array.of(1, Number.NaN), Float64Array.of(0, 1))],
    ['NOT_FINITE', () => softmaxCrossEntropy(Float64Array.of(1, 2), Float64Array.of(0, Number.NaN))],
    [
      'NOT_FINITE',
      () => softmaxCrossEntropy(Float64Array.of(1, -1e300), Float64Array.of(0, 1), { temperature: 1e-9 }),
    ],
    ['LENGTH_MISMATCH', () => softmaxCrossEntropy(new Float64Array(0), new Float64Array(0))],
    ['LENGTH_MISMATCH', () => softmaxCrossEntropy(Float64Array.of(1, 2), Float64Array.of(1))],
    [
      'TEMPERATURE_INVALID',
      () => softmaxCrossEntropy(Float64Array.of(1), Float64Array.of(1), { temperature: 0 }),
    ],
    ['INVALID_ARGUMENT', () => softmaxCrossEntropy([1] as never, Float64Array.of(1))],
    [
      'INVALID_ARGUMENT',
      () => softmaxCrossEntropy(Float64Array.of(1), Float64Array.of(1), { form: 'max' as never }),
    ],
    [
      'INVALID_ARGUMENT',
      () => softmaxCrossEntropy(Float64Array.of(1), Float64Array.of(1), { tau: 1 } as never),
    ],
  ] as const)('refuses with %s', (code, call) => {
    expect(call).toThrow(expect.objectContaining({ code }));
  });
});
