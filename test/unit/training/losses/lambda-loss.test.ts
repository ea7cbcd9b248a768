import { describe, expect, it } from 'vitest';
import type { SeededRandom } from '../../../../src/ranking/seeded-random.js';
import { type LambdaLossOptions, lambdaLoss } from '../../../../src/training/losses/lambda-loss.js';
import {
  closeTo,
  expectDerivative,
  expectFinite,
  expectGradient,
  normals,
  overSizes,
} from './finite-differences.js';

const code = (expected: string) => expect.objectContaining({ code: expected });
const FORMS = ['lambda-rank', 'ndcg-loss-2', 'ndcg-loss-2++'] as const;

const gain = (label: number, options: LambdaLossOptions) =>
  options.gain === 'linear' ? label : 2 ** label - 1;

function dcg(labels: readonly number[], options: LambdaLossOptions): number {
  const { k = labels.length } = options;
  return labels.slice(0, k).reduce((sum, label, i) => sum + gain(label, options) / Math.log2(i + 2), 0);
}

/** Ranks by counting who is before. */
function ranksOf(scores: Float64Array): number[] {
  return Array.from(
    scores,
    (s, i) => 1 + scores.reduce((n, other, j) => n + (other > s || (other === s && j < i) ? 1 : 0), 0),
  );
}

/** The loss with weights of given ranks: lambda-rank by computing nDCG@k with two documents exchanged. */
function slow(
  scores: Float64Array,
  labels: Float64Array,
  ranks: number[],
  options: LambdaLossOptions,
): number {
  const { form = 'lambda-rank', k = scores.length, mu = 10, temperature = 1 } = options;
  const ideal = dcg(
    [...labels].sort((a, b) => b - a),
    options,
  );
  if (ideal === 0) return 0;
  const ranking = Array.from(labels, (_, place) => labels[ranks.indexOf(place + 1)]!);
  let sum = 0;
  for (const [i, yi] of labels.entries()) {
    for (const [j, yj] of labels.entries()) {
      if (!(yi > yj)) continue;
      const swapped = [...ranking];
      [swapped[ranks[i]! - 1], swapped[ranks[j]! - 1]] = [yj, yi];
      const change = Math.abs(dcg(swapped, options) - dcg(ranking, options)) / ideal;
      const apart = Math.abs(ranks[i]! - ranks[j]!);
      const between = Math.abs(1 / Math.log2(1 + apart) - 1 / Math.log2(2 + apart));
      const inside = Math.min(ranks[i]!, ranks[j]!) <= k ? 1 : 0;
      const second = (inside * Math.abs(gain(yi, options) - gain(yj, options)) * between) / ideal;
      const weight = { 'lambda-rank': change, 'ndcg-loss-2': second, 'ndcg-loss-2++': change + mu * second }[
        form
      ];
      sum -= weight * Math.log2(1 / (1 + Math.exp(-(scores[i]! - scores[j]!) / temperature)));
    }
  }
  return sum;
}

describe.each(FORMS)('lambdaLoss, %s', (form) => {
  const grades = (random: SeededRandom, size: number) =>
    Float64Array.from({ length: size }, () => random.integer(0, 3));

  it('is its formula, with the gradients of finite differences at ranks that stay', () => {
    overSizes((random, size) => {
      for (const given of [{}, { k: 3, gain: 'linear' as const, mu: 3 }]) {
        const options = { form, temperature: 0.5, ...given };
        const [scores, labels] = [normals(random, size), grades(random, size)];
        const ranks = ranksOf(scores);
        const found = lambdaLoss(scores, labels, options);
        closeTo(found.loss, slow(scores, labels, ranks, options), 1e-11);
        const loss = (s: Float64Array, temperature = 0.5) =>
          slow(s, labels, ranks, { ...options, temperature });
        expectGradient(loss, scores, found.gradient, { step: 5e-4, magnitude: 10 });
        expectDerivative((t) => loss(scores, t), 0.5, found.temperatureGradient, { magnitude: 10 });
      }
    });
  });

  it('takes the lower index for the better rank of equal scores', () => {
    const [ties, labels] = [new Float64Array(4), Float64Array.of(0, 1, 0, 2)];
    const found = lambdaLoss(ties, labels, { form });
    closeTo(found.loss, slow(ties, labels, [1, 2, 3, 4], { form }));
    expectGradient((s) => slow(s, labels, [1, 2, 3, 4], { form }), ties, found.gradient);
  });

  it('stands scores of 1e3', () => {
    const [scores, labels] = [Float64Array.of(1e3, -1e3, 0), Float64Array.of(0, 2, 1)];
    const found = lambdaLoss(scores, labels, { form });
    expectFinite([found.loss, ...found.gradient, found.temperatureGradient]);
    expect(found.loss).toBeGreaterThan(100);
    expect([...found.gradient].map(Math.sign)).toEqual([1, -1, expect.any(Number)]);
    // At t = 10 the slow form can do without care for exp.
    const options = { form, temperature: 10 };
    expectGradient(
      (s) => slow(s, labels, [1, 3, 2], options),
      scores,
      lambdaLoss(scores, labels, options).gradient,
      {
        step: 1e-2,
        magnitude: 1e3,
      },
    );
  });

  it('is 0 where labels are all equal, none has gain, or there is one document', () => {
    const s = Float64Array.of(1, 2, 3);
    for (const [scores, labels] of [
      [s, Float64Array.of(2, 2, 2)],
      [s, new Float64Array(3)],
      [Float64Array.of(1), Float64Array.of(1)],
    ] as const) {
      const found = lambdaLoss(scores, labels, { form });
      expect([found.loss, ...found.gradient].every((x) => x === 0)).toBe(true);
    }
  });
});

describe('lambdaLoss', () => {
  it('leaves documents beyond k alone', () => {
    const scores = Float64Array.of(9, 8, 7, 6);
    const labels = Float64Array.of(3, 2, 0, 1);
    expect(lambdaLoss(scores, labels, { k: 2 }).gradient[3]).not.toBe(0);
    const { gradient } = lambdaLoss(scores, Float64Array.of(1, 1, 0, 1), { k: 2 });
    // The pair of 3rd and 4th changes nothing; that of the first two with the 3rd does.
    closeTo(gradient[3]!, 0);
    expect(gradient[2]).toBeGreaterThan(0);
  });

  it('refuses labels below 0, NaN, gains beyond float64 and k of 0', () => {
    const s = Float64Array.of(1, 2);
    expect(() => lambdaLoss(s, Float64Array.of(1, -1))).toThrow(code('TARGET_INVALID'));
    expect(() => lambdaLoss(s, Float64Array.of(1, Number.NaN))).toThrow(code('NOT_FINITE'));
    expect(() => lambdaLoss(Float64Array.of(1, Number.NaN), s)).toThrow(code('NOT_FINITE'));
    expect(() => lambdaLoss(s, Float64Array.of(1, 2000))).toThrow(code('NOT_FINITE'));
    expect(() => lambdaLoss(s, s, { k: 0 })).toThrow(code('INVALID_ARGUMENT'));
    expect(() => lambdaLoss(s, s, { form: 'lambda' as never })).toThrow(code('INVALID_ARGUMENT'));
  });
});
