import { describe, expect, it } from 'vitest';
import { marginalLikelihood } from '../../../../src/training/losses/marginal-likelihood.js';
import {
  leaveOneOutDistillation,
  perplexityDistillation,
} from '../../../../src/training/losses/perplexity-distillation.js';
import { replug } from '../../../../src/training/losses/replug.js';
import { sharedRelevance } from '../../../../src/training/losses/shared-relevance.js';
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

describe('sharedRelevance', () => {
  const options = { mu: 0.7, retrieverTemperature: 0.5, rerankerTemperature: 2 };

  it('is its formula with the gradients of finite differences', () => {
    overSizes((random, size) => {
      const [retriever, reranker] = [normals(random, size), normals(random, size)];
      const targets = Float64Array.from({ length: size }, () => random.integer(0, 2));
      targets[0] = 3;
      const found = sharedRelevance(retriever, reranker, targets, options);
      const [p, c] = [plainSoftmax(retriever, 0.5), plainSoftmax(reranker, 2)];
      const sum = targets.reduce((a, b) => a + b, 0);
      const r = Array.from(targets, (target) => target / sum);
      closeTo(found.loss, plainDivergence(r, p) + plainDivergence(r, c) + 0.7 * plainDivergence(c, p));
      const loss = (s: Float64Array, z: Float64Array) => sharedRelevance(s, z, targets, options).loss;
      expectGradient((s) => loss(s, reranker), retriever, found.retrieverGradient);
      expectGradient((z) => loss(retriever, z), reranker, found.rerankerGradient);
      const at = (name: string) => (t: number) =>
        sharedRelevance(retriever, reranker, targets, { ...options, [name]: t }).loss;
      expectDerivative(at('retrieverTemperature'), 0.5, found.retrieverTemperatureGradient);
      expectDerivative(at('rerankerTemperature'), 2, found.rerankerTemperatureGradient);
    });
  });

  it('is 0, and at rest, where both agree with the targets', () => {
    const scores = Float64Array.of(Math.log(3), 0);
    const found = sharedRelevance(scores, scores, Float64Array.of(6, 2));
    closeTo(found.loss, 0);
    for (const g of [...found.retrieverGradient, ...found.rerankerGradient]) closeTo(g, 0);
  });

  it('stands ties, equal targets and scores of 1e3', () => {
    const extreme = Float64Array.of(1e3, -1e3, 0);
    const found = sharedRelevance(extreme, extreme.toReversed(), new Float64Array(3).fill(2));
    expectFinite([found.loss, ...found.retrieverGradient, ...found.rerankerGradient]);
    const loss = (s: Float64Array) => sharedRelevance(s, extreme.toReversed(), Float64Array.of(2, 2, 2)).loss;
    expectGradient(loss, extreme, found.retrieverGradient, { magnitude: 4e3 });
    const ties = new Float64Array(3);
    const tied = sharedRelevance(ties, ties, Float64Array.of(1, 0, 0));
    expectGradient(
      (s) => sharedRelevance(ties, s, Float64Array.of(1, 0, 0)).loss,
      ties,
      tied.rerankerGradient,
    );
  });

  it('takes targets of any size', () => {
    const scores = Float64Array.of(1, 2);
    const expected = sharedRelevance(scores, scores, Float64Array.of(1, 3)).loss;
    closeTo(sharedRelevance(scores, scores, Float64Array.of(0.5e308, 1.5e308)).loss, expected);
    closeTo(sharedRelevance(scores, scores, Float64Array.of(1e-308, 3e-308)).loss, expected);
  });

  it('refuses what is no distribution', () => {
    const s = Float64Array.of(1, 2);
    expect(() => sharedRelevance(s, s, Float64Array.of(0, 0))).toThrow(code('TARGET_INVALID'));
    expect(() => sharedRelevance(s, s, Float64Array.of(2, -1))).toThrow(code('TARGET_INVALID'));
    expect(() => sharedRelevance(s, s, Float64Array.of(2, Number.NaN))).toThrow(code('NOT_FINITE'));
    expect(() => sharedRelevance(s, s, Float64Array.of(2))).toThrow(code('LENGTH_MISMATCH'));
    expect(() => sharedRelevance(s, s, s, { mu: -1 })).toThrow(code('INVALID_ARGUMENT'));
  });
});

describe('replug', () => {
  it('is KL(p || Q), Q from likelihoods, with the gradients of finite differences', () => {
    overSizes((random, size) => {
      const scores = normals(random, size, 0.1);
      const logs = normals(random, size).map((x) => -Math.abs(x));
      const found = replug(scores, logs);
      const q = plainSoftmax(logs.map(Math.exp), 0.1);
      closeTo(found.loss, plainDivergence(plainSoftmax(scores, 0.1), q));
      expectGradient((s) => replug(s, logs).loss, scores, found.gradient, { step: 1e-4 });
      expectDerivative(
        (temperature) => replug(scores, logs, { temperature }).loss,
        0.1,
        found.temperatureGradient,
      );
    });
  });

  it('is not the divergence of Atlas, nor made of logarithms', () => {
    const scores = Float64Array.of(0.3, 0, -0.2);
    const logs = Float64Array.of(-3, -0.5, -1);
    const q = plainSoftmax(logs.map(Math.exp), 0.1);
    expect(replug(scores, logs).loss).not.toBeCloseTo(plainDivergence(q, plainSoftmax(scores, 0.1)), 3);
    expect(replug(scores, logs).loss).not.toBeCloseTo(
      plainDivergence(plainSoftmax(scores, 0.1), plainSoftmax(logs, 0.1)),
      3,
    );
  });

  it('stands scores of 1e3, ties and answers that nothing explains', () => {
    const logs = Float64Array.of(-1e3, -1e3, -1e3);
    for (const scores of [Float64Array.of(1e3, -1e3, 0), new Float64Array(3)]) {
      const found = replug(scores, logs, { temperature: 1 });
      expectFinite([found.loss, ...found.gradient, found.temperatureGradient]);
      expectGradient((s) => replug(s, logs, { temperature: 1 }).loss, scores, found.gradient, {
        magnitude: 1e3,
      });
    }
    expect(() => replug(Float64Array.of(1), Float64Array.of(1e3))).toThrow(code('NOT_FINITE'));
    // Their distance is beyond float64.
    expect(() => replug(Float64Array.of(1e308, -1e308), Float64Array.of(0, 0))).toThrow(code('NOT_FINITE'));
    expect(() => replug(Float64Array.of(Number.NaN), Float64Array.of(1))).toThrow(code('NOT_FINITE'));
  });
});

it('what all scores have in common takes no digit from the gradient of the temperature', () => {
  const [scores, logs] = [Float64Array.of(0.5, -1.25, 3), Float64Array.of(-0.3, -2, -1)];
  const shifted = scores.map((score) => score + 2 ** 45);
  for (const loss of [replug, perplexityDistillation, marginalLikelihood]) {
    expect(loss(shifted, logs)).toEqual(loss(scores, logs));
  }
});

describe.each([
  ['perplexityDistillation', perplexityDistillation],
  ['leaveOneOutDistillation', leaveOneOutDistillation],
] as const)('%s', (_, distil) => {
  const options = { temperature: 0.2, readerTemperature: 0.4 };

  it('is KL(Q || p) with the gradients of finite differences', () => {
    overSizes((random, size) => {
      const [scores, worth] = [normals(random, size, 0.3), normals(random, size)];
      const found = distil(scores, worth, options);
      closeTo(found.loss, plainDivergence(plainSoftmax(worth, 0.4), plainSoftmax(scores, 0.2)));
      expectGradient((s) => distil(s, worth, options).loss, scores, found.gradient, { step: 2e-4 });
      const loss = (temperature: number) => distil(scores, worth, { ...options, temperature }).loss;
      expectDerivative(loss, 0.2, found.temperatureGradient);
    });
  });

  it('stands ties, scores of 1e3 and the temperatures of the released code', () => {
    const [scores, worth] = [Float64Array.of(1e3, -1e3, 1e3), Float64Array.of(-9, 0, -9)];
    const found = distil(scores, worth);
    expectFinite([found.loss, ...found.gradient, found.temperatureGradient]);
    closeTo(found.loss, 2e5 + Math.log(2));
    expectGradient((s) => distil(s, worth).loss, scores, found.gradient, { step: 1e-5 });
    expect(() => distil(scores, Float64Array.of(0, 0, Number.NaN))).toThrow(code('NOT_FINITE'));
    expect(() => distil(scores, Float64Array.of(0, 0))).toThrow(code('LENGTH_MISMATCH'));
  });
});

describe('marginalLikelihood', () => {
  it('is its formula with the gradients of finite differences, for answers and for tokens', () => {
    overSizes((random, size) => {
      for (const tokens of [1, 3]) {
        const scores = normals(random, size);
        const logs = normals(random, size * tokens);
        const options = { tokens, temperature: 0.5 };
        const found = marginalLikelihood(scores, logs, options);
        const p = plainSoftmax(scores, 0.5);
        let expected = 0;
        for (let y = 0; y < tokens; y++) {
          expected -= Math.log(p.reduce((sum, share, d) => sum + share * Math.exp(logs[d * tokens + y]!), 0));
        }
        closeTo(found.loss, expected);
        expectGradient((s) => marginalLikelihood(s, logs, options).loss, scores, found.gradient, {
          step: 5e-4,
        });
        expectGradient((l) => marginalLikelihood(scores, l, options).loss, logs, found.readerGradient);
        const loss = (temperature: number) => marginalLikelihood(scores, logs, { tokens, temperature }).loss;
        expectDerivative(loss, 0.5, found.temperatureGradient);
      }
    });
  });

  it('draws the retriever to the document that explains the answer', () => {
    const { gradient, readerGradient } = marginalLikelihood(
      new Float64Array(3),
      Float64Array.of(-9, -0.1, -9),
    );
    expect([...gradient].map(Math.sign)).toEqual([1, -1, 1]);
    closeTo(
      readerGradient.reduce((a, b) => a + b, 0),
      -1,
    );
  });

  it('stands scores and log-likelihoods of 1e3', () => {
    const [scores, logs] = [Float64Array.of(1e3, -1e3, 0), Float64Array.of(-1e3, 0, -1e3)];
    const found = marginalLikelihood(scores, logs);
    expectFinite([found.loss, ...found.gradient, ...found.readerGradient]);
    closeTo(found.loss, 1e3);
    const loss = (s: Float64Array) => marginalLikelihood(s, logs).loss;
    expectGradient(loss, scores, found.gradient, { magnitude: 4e3 });
    expect(() => marginalLikelihood(scores, Float64Array.of(0, Number.NaN, 0))).toThrow(code('NOT_FINITE'));
    expect(() => marginalLikelihood(scores, logs, { tokens: 2 })).toThrow(code('LENGTH_MISMATCH'));
    expect(() => marginalLikelihood(scores, logs, { tokens: 0.5 })).toThrow(code('INVALID_ARGUMENT'));
  });
});
