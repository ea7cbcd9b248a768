import { describe, expect, it } from 'vitest';
import { SeededRandom } from '../../../../src/ranking/seeded-random.js';
import { biGranularRelevance } from '../../../../src/training/losses/bi-granular-relevance.js';
import { distillation } from '../../../../src/training/losses/distillation.js';
import { listNet } from '../../../../src/training/losses/list-net.js';
import { mixLosses } from '../../../../src/training/losses/mix-losses.js';
import { pointwiseCrossEntropy } from '../../../../src/training/losses/pointwise-cross-entropy.js';
import { rankNet } from '../../../../src/training/losses/rank-net.js';
import { softmaxCrossEntropy } from '../../../../src/training/losses/softmax-cross-entropy.js';
import {
  closeTo,
  expectDerivative,
  expectFinite,
  expectGradient,
  normals,
  overSizes,
  plainDivergence,
  plainSoftmax,
} from './finite-differences.js';

const code = (expected: string) => expect.objectContaining({ code: expected });
const plainSigmoid = (x: number) => 1 / (1 + Math.exp(-x));
const grades = (random: SeededRandom, size: number) =>
  Float64Array.from({ length: size }, () => random.integer(0, 3));
const EXTREME = Float64Array.of(1e3, -1e3, 0, 1e3);

describe.each(['hard', 'soft'] as const)('rankNet with %s targets', (targets) => {
  it('is its formula with the gradients of finite differences', () => {
    overSizes((random, size) => {
      for (const margin of [0, 1.5]) {
        const [scores, labels] = [normals(random, size), grades(random, size)];
        const options = { targets, margin, temperature: 0.5 };
        const terms: number[] = [];
        for (const [i, si] of scores.entries()) {
          for (const [j, sj] of scores.entries()) {
            const apart = labels[i]! - labels[j]!;
            if (apart <= margin) continue;
            const goal = targets === 'hard' ? 1 : plainSigmoid(apart);
            const p = plainSigmoid((si - sj) / 0.5);
            terms.push(-(goal * Math.log(p) + (1 - goal) * Math.log(1 - p)));
          }
        }
        const found = rankNet(scores, labels, options);
        expect(found.pairs).toBe(terms.length);
        closeTo(found.loss, terms.length === 0 ? 0 : terms.reduce((a, b) => a + b, 0) / terms.length, 1e-11);
        const loss = (s: Float64Array, temperature = 0.5) =>
          rankNet(s, labels, { ...options, temperature }).loss;
        expectGradient(loss, scores, found.gradient, { step: 2e-4 });
        expectDerivative((t) => loss(scores, t), 0.5, found.temperatureGradient);
      }
    });
  });

  it('stands ties and scores of 1e3', () => {
    const labels = Float64Array.of(0, 2, 1, 1);
    for (const scores of [EXTREME, new Float64Array(4)]) {
      const found = rankNet(scores, labels, { targets });
      expectFinite([found.loss, ...found.gradient, found.temperatureGradient]);
      expectGradient((s) => rankNet(s, labels, { targets }).loss, scores, found.gradient, { magnitude: 2e3 });
    }
  });

  it('is 0 where no pair counts', () => {
    for (const labels of [Float64Array.of(2, 2, 2), Float64Array.of(0, 0.1, 0.05)]) {
      const found = rankNet(Float64Array.of(1, 2, 3), labels, { targets, margin: 0.1 });
      expect(found).toMatchObject({ loss: 0, pairs: 0 });
      expect([...found.gradient].every((g) => g === 0)).toBe(true);
    }
  });
});

describe('rankNet', () => {
  it('is the mean over all pairs i < j of the binary cross entropy with soft targets, where no labels are equal', () => {
    const [scores, labels] = [Float64Array.of(0.3, -1, 2, 0.1), Float64Array.of(4, 1, 3, 2)];
    let [sum, pairs] = [0, 0];
    for (let i = 0; i < 4; i++) {
      for (let j = i + 1; j < 4; j++) {
        const [goal, p] = [plainSigmoid(labels[i]! - labels[j]!), plainSigmoid(scores[i]! - scores[j]!)];
        sum -= goal * Math.log(p) + (1 - goal) * Math.log(1 - p);
        pairs += 1;
      }
    }
    closeTo(rankNet(scores, labels, { targets: 'soft' }).loss, sum / pairs);
  });

  it('refuses NaN, and a margin below 0', () => {
    const s = Float64Array.of(1, 2);
    expect(() => rankNet(Float64Array.of(1, Number.NaN), s)).toThrow(code('NOT_FINITE'));
    expect(() => rankNet(s, Float64Array.of(1, Number.NaN))).toThrow(code('NOT_FINITE'));
    expect(() => rankNet(s, s, { margin: -1 })).toThrow(code('INVALID_ARGUMENT'));
  });
});

describe('listNet', () => {
  const options = { temperature: 0.5, labelTemperature: 2 };

  it('is its formula with the gradients of finite differences', () => {
    overSizes((random, size) => {
      const [scores, labels] = [normals(random, size), grades(random, size)];
      const found = listNet(scores, labels, options);
      const [q, p] = [plainSoftmax(labels, 2), plainSoftmax(scores, 0.5)];
      closeTo(found.loss, -q.reduce((sum, share, i) => sum + share * Math.log(p[i]!), 0));
      expectGradient((s) => listNet(s, labels, options).loss, scores, found.gradient, { step: 5e-4 });
      const loss = (temperature: number) => listNet(scores, labels, { ...options, temperature }).loss;
      expectDerivative(loss, 0.5, found.temperatureGradient);
    });
  });

  it('stands scores of 1e3, and asks for equal scores by equal labels', () => {
    const labels = new Float64Array(4).fill(7);
    const found = listNet(EXTREME, labels);
    expectFinite([found.loss, ...found.gradient]);
    expectGradient((s) => listNet(s, labels).loss, EXTREME, found.gradient);
    const equal = listNet(new Float64Array(4), labels);
    closeTo(equal.loss, Math.log(4));
    for (const g of equal.gradient) closeTo(g, 0);
    expect(() => listNet(EXTREME, Float64Array.of(1, 2, 3, Number.NaN))).toThrow(code('NOT_FINITE'));
    expect(() => listNet(EXTREME, Float64Array.of(1))).toThrow(code('LENGTH_MISMATCH'));
  });
});

describe('distillation', () => {
  it('is T^2 KL(teacher || student) with the gradients of finite differences', () => {
    overSizes((random, size) => {
      const [student, teacher] = [normals(random, size), normals(random, size)];
      const found = distillation(student, teacher);
      closeTo(found.loss, 4 * plainDivergence(plainSoftmax(teacher, 2), plainSoftmax(student, 2)));
      expectGradient((s) => distillation(s, teacher).loss, student, found.gradient);
    });
    const found = distillation(EXTREME, EXTREME.toReversed());
    expectFinite([found.loss, ...found.gradient]);
    expectGradient((s) => distillation(s, EXTREME.toReversed()).loss, EXTREME, found.gradient);
    expect(() => distillation(EXTREME, Float64Array.of(Number.NaN))).toThrow(code('LENGTH_MISMATCH'));
    expect(() => distillation(Float64Array.of(Number.NaN), Float64Array.of(1))).toThrow(code('NOT_FINITE'));
  });
});

describe('mixLosses', () => {
  it('adds losses and gradients by weight', () => {
    const [s, teacher] = [Float64Array.of(0.2, -1, 0.4), Float64Array.of(3, 1, 2)];
    const labels = Float64Array.of(1, 0, 0);
    const mix = (scores: Float64Array) =>
      mixLosses([
        { loss: rankNet(scores, teacher, { targets: 'soft' }), weight: 0.25 },
        { loss: softmaxCrossEntropy(scores, labels), weight: 0.25 },
        { loss: distillation(scores, teacher), weight: 0.5 },
      ]);
    closeTo(
      mix(s).loss,
      0.25 * rankNet(s, teacher, { targets: 'soft' }).loss +
        0.25 * softmaxCrossEntropy(s, labels).loss +
        0.5 * distillation(s, teacher).loss,
    );
    expectGradient((x) => mix(x).loss, s, mix(s).gradient);
  });

  it('refuses losses of different lists, weights below 0 and nothing', () => {
    const part = (gradient: Float64Array, weight = 1) => ({ loss: { loss: 0, gradient }, weight });
    const [two, three] = [new Float64Array(2), new Float64Array(3)];
    expect(() => mixLosses([])).toThrow(code('LENGTH_MISMATCH'));
    expect(() => mixLosses([part(two), part(three)])).toThrow(code('LENGTH_MISMATCH'));
    expect(() => mixLosses([part(two, -1)])).toThrow(code('INVALID_ARGUMENT'));
  });
});

describe('pointwiseCrossEntropy', () => {
  it('is its formula with the gradients of finite differences', () => {
    overSizes((random, size) => {
      const scores = normals(random, size);
      const labels = Float64Array.from(scores, () => random.uniform());
      const found = pointwiseCrossEntropy(scores, labels, { negativeWeight: 0.7 });
      const terms = Array.from(scores, (s, i) =>
        labels[i]! >= 0.5 ? -Math.log(plainSigmoid(s)) : -0.7 * Math.log(1 - plainSigmoid(s)),
      );
      closeTo(found.loss, terms.reduce((a, b) => a + b, 0) / size, 1e-11);
      const loss = (s: Float64Array) => pointwiseCrossEntropy(s, labels, { negativeWeight: 0.7 }).loss;
      expectGradient(loss, scores, found.gradient);
    });
    const labels = Float64Array.of(0, 1, 1, 0.5);
    const found = pointwiseCrossEntropy(EXTREME, labels);
    closeTo(found.loss, (2e3 + Math.LN2) / 4);
    expectGradient((s) => pointwiseCrossEntropy(s, labels).loss, EXTREME, found.gradient);
    expect(() => pointwiseCrossEntropy(EXTREME, Float64Array.of(1, 0, 1, Number.NaN))).toThrow(
      code('NOT_FINITE'),
    );
    expect(() => pointwiseCrossEntropy(EXTREME, labels, { negativeWeight: -1 })).toThrow(
      code('INVALID_ARGUMENT'),
    );
  });
});

describe('biGranularRelevance', () => {
  it('adds the order of pairs to relevant or not, with the gradients of finite differences', () => {
    const scores = normals(new SeededRandom(5), 5);
    const labels = Float64Array.of(0.9, 0.85, 0.2, 0, 0.55);
    const found = biGranularRelevance(scores, labels);
    closeTo(
      found.loss,
      0.5 * rankNet(scores, labels, { margin: 0.1 }).loss +
        0.3 * pointwiseCrossEntropy(scores, labels, { negativeWeight: 0.8 }).loss,
    );
    expect(rankNet(scores, labels, { margin: 0.1 }).pairs).toBe(9);
    expectGradient((s) => biGranularRelevance(s, labels).loss, scores, found.gradient);
    expect(() => biGranularRelevance(scores, labels, { fine: -1 })).toThrow(code('INVALID_ARGUMENT'));
  });
});
