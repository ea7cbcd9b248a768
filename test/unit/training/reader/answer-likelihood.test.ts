import { describe, expect, it } from 'vitest';
import { answerLikelihood } from '../../../../src/training/reader/answer-likelihood.js';
import {
  closeTo,
  expectGradient,
  normals,
  overSizes,
  plainSoftmax,
  SIZES,
} from '../losses/finite-differences.js';

/** As it is written down. */
function slow(scores: ArrayLike<number>, right: ArrayLike<number>, floor: number): number {
  const p = plainSoftmax(scores).reduce((sum, share, i) => sum + (right[i] !== 0 ? share : 0), 0);
  return Math.log((1 - floor) * p + floor);
}

describe('the likelihood of an answer', () => {
  it.each([0, 1e-6, 0.3])(
    'is that of the formula, with the gradient of finite differences, floor %d',
    (floor) => {
      overSizes((random, size) => {
        const scores = normals(random, size + 1, 2);
        const right = Uint8Array.from(scores, (_, i) => (i === size || random.chance(0.3) ? 1 : 0));
        const { logLikelihood, gradient } = answerLikelihood(scores, right, { floor });
        closeTo(logLikelihood, slow(scores, right, floor));
        expectGradient((x) => answerLikelihood(x, right, { floor }).logLikelihood, scores, gradient);
      }, SIZES);
    },
  );

  it('is the floor where no candidate is right, and nothing depends on the scores then', () => {
    const { logLikelihood, gradient } = answerLikelihood(Float64Array.of(1, 2), [0, 0], { floor: 1e-4 });
    expect(logLikelihood).toBe(Math.log(1e-4));
    expect([...gradient]).toEqual([0, 0]);
    expect(() => answerLikelihood(Float64Array.of(1, 2), [0, 0])).toThrowError(
      expect.objectContaining({ code: 'TARGET_INVALID' }),
    );
  });

  it('keeps a gradient where p itself is below what float64 holds', () => {
    const scores = Float64Array.of(0, -800, -801);
    const { logLikelihood, gradient } = answerLikelihood(scores, [0, 1, 1]);
    closeTo(logLikelihood, -800 + Math.log1p(Math.exp(-1)));
    closeTo(gradient[1]!, 1 / (1 + Math.exp(-1)));
    closeTo(gradient[0]!, -1);
  });

  it('never exceeds 0, and refuses what is no list', () => {
    expect(answerLikelihood(Float64Array.of(700, 0.1, 3), [1, 1, 1])).toMatchObject({ logLikelihood: 0 });
    // Their shares add up to 1 but for rounding, which is above it for some of these.
    for (let floor = 0.01; floor < 1; floor += 0.01) {
      expect(answerLikelihood(Float64Array.of(1), [1], { floor }).logLikelihood).toBeLessThanOrEqual(0);
    }
    for (const [right, options, code] of [
      [[1], {}, 'LENGTH_MISMATCH'],
      [[1, 0], { floor: 1 }, 'INVALID_ARGUMENT'],
      [[1, 0], { floor: -1e-9 }, 'INVALID_ARGUMENT'],
      [[1, 0], { flor: 0 }, 'INVALID_ARGUMENT'],
    ] as const) {
      expect(() => answerLikelihood(Float64Array.of(1, 2), right, options as object)).toThrowError(
        expect.objectContaining({ code }),
      );
    }
    expect(() => answerLikelihood(Float64Array.of(1, Number.NaN), [1, 0])).toThrowError(
      expect.objectContaining({ code: 'NOT_FINITE' }),
    );
  });
});
