import { describe, expect, it } from 'vitest';
import { type JointPathLossOptions, jointPathLoss } from '../../../../src/training/losses/joint-path-loss.js';
import {
  closeTo,
  difference,
  expectDerivative,
  expectFinite,
  expectGradient,
  normals,
  overSizes,
  plainSoftmax,
} from './finite-differences.js';

const FORMS = ['marginal', 'paths'] as const;
const product = (a: ArrayLike<number>, b: ArrayLike<number>) =>
  Array.from(a).reduce((sum, x, i) => sum + x * b[i]!, 0);

/** Equation 6 in both forms, path after path. */
function slow(
  p: readonly number[],
  z: readonly number[],
  logs: Float64Array,
  entityOf: readonly number[],
  form: 'marginal' | 'paths',
): number {
  const probabilities = entityOf.map((e, i) => p[e]! * z[i]! * Math.exp(logs[i]!));
  return form === 'marginal'
    ? -Math.log(probabilities.reduce((a, b) => a + b, 0))
    : -probabilities.reduce((sum, probability) => sum + Math.log(probability), 0);
}

describe.each(FORMS)('jointPathLoss, %s', (form) => {
  const options: JointPathLossOptions = { form, entityTemperature: 0.5, passageTemperature: 2 };

  it('is its formula with the gradients of finite differences', () => {
    overSizes((random, size) => {
      const entities = 3;
      const entityOf = Array.from({ length: size }, () => random.integer(0, entities - 1));
      const [e, z, a] = [normals(random, entities), normals(random, size), normals(random, size)];
      const loss = (x: Float64Array, y: Float64Array, l: Float64Array) =>
        jointPathLoss(x, y, l, entityOf, options).loss;
      const found = jointPathLoss(e, z, a, entityOf, options);
      closeTo(found.loss, slow(plainSoftmax(e, 0.5), plainSoftmax(z, 2), a, entityOf, form));
      expectGradient((x) => loss(x, z, a), e, found.entityGradient, { step: 5e-4 });
      expectGradient((y) => loss(e, y, a), z, found.passageGradient);
      expectGradient((l) => loss(e, z, l), a, found.readerGradient);
      const at = (name: string) => (t: number) =>
        jointPathLoss(e, z, a, entityOf, { ...options, [name]: t }).loss;
      expectDerivative(at('entityTemperature'), 0.5, found.entityTemperatureGradient);
      expectDerivative(at('passageTemperature'), 2, found.passageTemperatureGradient);
    });
  });

  it('stands one path, ties and numbers of 1e3', () => {
    const one = jointPathLoss(Float64Array.of(9), Float64Array.of(9), Float64Array.of(-2), [0], { form });
    closeTo(one.loss, 2);
    expect([...one.entityGradient, ...one.passageGradient].every((g) => g === 0)).toBe(true);
    const extreme = Float64Array.of(1e3, -1e3, 0);
    const found = jointPathLoss(extreme, extreme.toReversed(), extreme, [0, 1, 2], { form });
    expectFinite([found.loss, ...found.entityGradient, ...found.passageGradient, ...found.readerGradient]);
    const loss = (x: Float64Array) =>
      jointPathLoss(x, extreme.toReversed(), extreme, [0, 1, 2], { form }).loss;
    expectGradient(loss, extreme, found.entityGradient, { magnitude: 1e4 });
    const ties = new Float64Array(4);
    const tied = jointPathLoss(ties, ties, ties, [0, 0, 1, 1], { form });
    expectGradient(
      (x) => jointPathLoss(x, ties, ties, [0, 0, 1, 1], { form }).loss,
      ties,
      tied.entityGradient,
    );
  });

  it('has the same gradients where entity scores are repeated for each passage, and a constant more', () => {
    // What the released code does: K scores repeated M times, so that each of K M has 1 / M of its probability.
    const [K, M] = [3, 2];
    const e = Float64Array.of(0.2, -0.4, 0.9);
    const z = Float64Array.of(1, 2, 0, -1, 0.5, 0.1);
    const a = Float64Array.of(-1, -2, -3, -1, -0.5, -4);
    const entityOf = [0, 0, 1, 1, 2, 2];
    const repeated = Float64Array.from(entityOf, (k) => e[k]!);
    const once = jointPathLoss(e, z, a, entityOf, { form });
    const code = jointPathLoss(repeated, z, a, [0, 1, 2, 3, 4, 5], { form });
    closeTo(code.loss, once.loss + (form === 'marginal' ? 1 : K * M) * Math.log(M));
    for (let k = 0; k < K; k++) {
      closeTo(code.entityGradient[2 * k]! + code.entityGradient[2 * k + 1]!, once.entityGradient[k]!);
    }
    for (const [i, g] of code.passageGradient.entries()) closeTo(g, once.passageGradient[i]!);
  });
});

describe('jointPathLoss', () => {
  const e = Float64Array.of(0.2, -0.4);
  const z = Float64Array.of(1, 2, 0, -1);
  const entityOf = [0, 0, 1, 1];

  it('has another minimum in the form of the paper than in that of the code', () => {
    const answered = Float64Array.of(-9, -9, -9, -0.01);
    const unanswered = Float64Array.of(-0.01, -9, -9, -9);
    const retriever = (logs: Float64Array, form: 'marginal' | 'paths') => {
      const { entityGradient, passageGradient } = jointPathLoss(e, z, logs, entityOf, { form });
      return [...entityGradient, ...passageGradient];
    };
    // The paper's: retrievers learn nothing of the answer, and rest where they are uniform.
    expect(retriever(answered, 'paths')).toEqual(retriever(unanswered, 'paths'));
    const uniform = jointPathLoss(new Float64Array(2), new Float64Array(4), answered, entityOf, {
      form: 'paths',
    });
    for (const g of [...uniform.entityGradient, ...uniform.passageGradient]) closeTo(g, 0);
    expect([...uniform.readerGradient]).toEqual([-1, -1, -1, -1]);
    // The code's: towards the path with the answer.
    const towards = retriever(answered, 'marginal');
    expect(towards[1]).toBeLessThan(0);
    expect(towards[5]).toBeLessThan(0);
    expect(retriever(unanswered, 'marginal')[0]).toBeLessThan(0);
  });

  it('is the marginal by default', () => {
    const a = Float64Array.of(-1, -2, -3, -4);
    expect(jointPathLoss(e, z, a, entityOf)).toEqual(jointPathLoss(e, z, a, entityOf, { form: 'marginal' }));
  });

  it('leads to the expanded query that found a passage, where passages are scored with it', () => {
    // Two entities, two passages each, vectors of three numbers; s_km = <q_k, z_km>, as the paper, against <q, z_km>, as its code.
    const passages = [
      [1, 0, 2],
      [0, 1, -1],
      [2, 1, 0],
      [-1, 0, 1],
    ];
    const logs = Float64Array.of(-3, -0.2, -2, -1);
    const asked = [0.3, -0.2, 0.5];
    const expanded = Float64Array.of(0.3, 0.1, 0.9, -0.4, 0.2, 0.5);
    const scored = (q: Float64Array) =>
      Float64Array.from(passages, (passage, i) =>
        product(q.subarray(3 * entityOf[i]!, 3 * entityOf[i]! + 3), passage),
      );
    const found = jointPathLoss(e, scored(expanded), logs, entityOf);
    for (let k = 0; k < 2; k++) {
      for (let d = 0; d < 3; d++) {
        const analytic = [2 * k, 2 * k + 1].reduce(
          (sum, i) => sum + found.passageGradient[i]! * passages[i]![d]!,
          0,
        );
        const loss = (q: Float64Array) => jointPathLoss(e, scored(q), logs, entityOf).loss;
        closeTo(analytic, difference(loss, expanded, 3 * k + d, 1e-3), 1e-10);
      }
    }
    const code = jointPathLoss(
      e,
      Float64Array.from(passages, (passage) => product(asked, passage)),
      logs,
      entityOf,
    );
    expect(Math.abs(code.loss - found.loss)).toBeGreaterThan(0.01);
  });

  it.each([
    ['NOT_FINITE', () => jointPathLoss(Float64Array.of(0, Number.NaN), z, z, entityOf)],
    ['NOT_FINITE', () => jointPathLoss(e, z, Float64Array.of(0, 0, 0, Number.NaN), entityOf)],
    ['LENGTH_MISMATCH', () => jointPathLoss(e, z, e, entityOf)],
    ['LENGTH_MISMATCH', () => jointPathLoss(e, z, z, [0])],
    ['INVALID_ARGUMENT', () => jointPathLoss(e, z, z, [0, 0, 1, 2])],
  ] as const)('refuses with %s', (code, call) => {
    expect(call).toThrow(expect.objectContaining({ code }));
  });
});
