import { describe, expect, it } from 'vitest';
import { agreementLabels } from '../../../../src/training/losses/agreement-labels.js';
import { softmaxBinaryCrossEntropy } from '../../../../src/training/losses/softmax-binary-cross-entropy.js';
import {
  closeTo,
  expectDerivative,
  expectFinite,
  expectGradient,
  normals,
  overSizes,
  plainSoftmax,
} from './finite-differences.js';

const code = (expected: string) => expect.objectContaining({ code: expected });

describe('agreementLabels', () => {
  const right = [true, false, true, false];
  const relevant = [true, false, false, true];

  it('has the table of RA-VQA', () => {
    expect([...agreementLabels(right, relevant)]).toEqual([1, 0, -1, -1]);
  });

  it('asks for the prediction alone where there is no pseudo-relevance', () => {
    expect([...agreementLabels(right, undefined, { by: 'prediction' })]).toEqual([1, 0, 1, 0]);
    expect([...agreementLabels(right, relevant, { by: 'prediction' })]).toEqual([1, 0, 1, 0]);
  });

  it('refuses lists that do not belong together', () => {
    expect(() => agreementLabels(right, [true])).toThrow(code('LENGTH_MISMATCH'));
    expect(() => agreementLabels(right)).toThrow(code('LENGTH_MISMATCH'));
    expect(() => agreementLabels([], [])).toThrow(code('LENGTH_MISMATCH'));
    expect(() => agreementLabels(right, relevant, { by: 'chance' as never })).toThrow(
      code('INVALID_ARGUMENT'),
    );
  });
});

describe('softmaxBinaryCrossEntropy', () => {
  it('is its formula with the gradients of finite differences', () => {
    overSizes((random, size) => {
      const scores = normals(random, size);
      const labels = Float64Array.from(scores, () => random.integer(-1, 1));
      labels[size - 1] = size === 1 ? 1 : random.integer(0, 1);
      const found = softmaxBinaryCrossEntropy(scores, labels, { temperature: 0.5 });
      const p = plainSoftmax(scores, 0.5);
      const terms = p.flatMap((share, i) =>
        labels[i] === -1 ? [] : [labels[i] === 1 ? -Math.log(share) : -Math.log(1 - share)],
      );
      closeTo(found.loss, terms.reduce((a, b) => a + b, 0) / terms.length, 1e-11);
      const loss = (s: Float64Array, temperature = 0.5) =>
        softmaxBinaryCrossEntropy(s, labels, { temperature }).loss;
      expectGradient(loss, scores, found.gradient, { step: 2e-4 });
      expectDerivative((t) => loss(scores, t), 0.5, found.temperatureGradient);
    });
  });

  it('is exact where a document has all the probability and should have none', () => {
    const [scores, labels] = [Float64Array.of(1e3, -1e3, -1e3), Float64Array.of(0, 1, 0)];
    const found = softmaxBinaryCrossEntropy(scores, labels);
    // -ln(1 - p_0) = 2000 - ln 2, -ln p_1 = 2000, -ln(1 - p_2) = 0.
    closeTo(found.loss, (4000 - Math.log(2)) / 3);
    expectFinite([...found.gradient, found.temperatureGradient]);
    const loss = (s: Float64Array) => softmaxBinaryCrossEntropy(s, labels).loss;
    expectGradient(loss, scores, found.gradient, { magnitude: 4e3 });
    const ties = new Float64Array(3);
    expectGradient(loss, ties, softmaxBinaryCrossEntropy(ties, labels).gradient);
  });

  it('counts left-out documents in the softmax, and not in the mean', () => {
    const scores = Float64Array.of(0, 0);
    const found = softmaxBinaryCrossEntropy(scores, Float64Array.of(1, -1));
    closeTo(found.loss, Math.LN2);
    expect([...found.gradient].map(Math.sign)).toEqual([-1, 1]);
  });

  it('stands a single right document, and refuses what says nothing', () => {
    const one = softmaxBinaryCrossEntropy(Float64Array.of(4), Float64Array.of(1));
    closeTo(one.loss, 0);
    closeTo(one.gradient[0]!, 0);
    const s = Float64Array.of(1, 2);
    const refuse =
      (labels: Float64Array, scores = s) =>
      () =>
        softmaxBinaryCrossEntropy(scores, labels);
    expect(refuse(Float64Array.of(0), Float64Array.of(4))).toThrow(code('TARGET_INVALID'));
    expect(refuse(Float64Array.of(-1, -1))).toThrow(code('TARGET_INVALID'));
    expect(refuse(Float64Array.of(0.5, 1))).toThrow(code('INVALID_ARGUMENT'));
    expect(refuse(Float64Array.of(Number.NaN, 1))).toThrow(code('NOT_FINITE'));
    expect(refuse(Float64Array.of(0, 1), Float64Array.of(1, Number.NaN))).toThrow(code('NOT_FINITE'));
  });
});
