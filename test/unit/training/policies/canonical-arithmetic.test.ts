import { describe, expect, test } from 'vitest';
import { SeededRandom } from '../../../../src/ranking/seeded-random.js';
import { canonicalExp } from '../../../../src/training/policies/canonical-exp.js';
import { canonicalLog } from '../../../../src/training/policies/canonical-log.js';
import { k3 } from '../../../../src/training/policies/k3.js';
import { sigmoid, softplus } from '../../../../src/training/policies/logistic.js';

const view = new DataView(new ArrayBuffer(8));

function bitsOf(x: number): string {
  view.setFloat64(0, x);
  return view.getBigUint64(0).toString(16).padStart(16, '0');
}

/** What the engine's C++ gives, bit for bit. */
const EXPONENTIALS: readonly (readonly [number, string])[] = [
  [0, '3ff0000000000000'],
  [-1e-20, '3ff0000000000000'],
  [-1e-9, '3fefffffff768fa1'],
  [-0.1, '3fecf46d99d52b3a'],
  [-0.34657359, '3fe6a09e669a7145'],
  [-0.5, '3fe368b2fc6f960a'],
  [-1, '3fd78b56362cef38'],
  [-Math.LN10, '3fb9999999999998'],
  [-10.75, '3ef67cb53ce7662b'],
  [-100.125, '36e76d8e5c4fcb71'],
  [-700.5, '00c4ff475c68ca02'],
  [-708, '0017c8ab2288c9ac'],
  [-708.1, '0000000000000000'],
];
const LOGARITHMS: readonly (readonly [number, string])[] = [
  [1, '0000000000000000'],
  [1.0000000000000002, '3cafffffffffffff'],
  [Math.SQRT2, '3fd62e42fefa39f0'],
  [1.4142135623730954, '3fd62e42fefa39f3'],
  [1.43, '3fd6e4235a30cb8d'],
  [1.45, '3fd7c7b282d0d46b'],
  [1.4999, '3fd9f20c4b92ee84'],
  [0.73, 'bfd42438893252f5'],
  [11.7, '4003ad3cea293a46'],
  [1.5, '3fd9f323ecbf984c'],
  [2, '3fe62e42fefa39ef'],
  [Math.E, '3ff0000000000000'],
  [10, '40026bb1bbb55516'],
  [12345.678, '4022d79559791e31'],
  [1e300, '4085963447f87fb5'],
  [0.5, 'bfe62e42fefa39ef'],
  [0.9999999999999999, 'bca0000000000000'],
  [0.1, 'c0026bb1bbb55515'],
  [2 ** -53, 'c0425e4f7b2737fa'],
  [3e-5, 'c024d420db4d09fa'],
];

describe('exp and ln', () => {
  test.each(EXPONENTIALS)("exp(%f) has the engine's bits", (x, bits) =>
    expect(bitsOf(canonicalExp(x))).toBe(bits),
  );
  test.each(LOGARITHMS)("ln %f has the engine's bits", (x, bits) =>
    expect(bitsOf(canonicalLog(x))).toBe(bits),
  );

  test('are right to a few units in the last place', () => {
    const random = new SeededRandom(11);
    let [exponential, logarithm] = [0, 0];
    for (let i = 0; i < 20_000; i++) {
      const x = random.uniform(-700, 700);
      exponential = Math.max(exponential, Math.abs(canonicalExp(x) / Math.exp(x) - 1));
      const y = 2 ** random.uniform(-1000, 1000);
      logarithm = Math.max(logarithm, Math.abs(canonicalLog(y) / Math.log(y) - 1));
    }
    expect(exponential).toBeLessThan(8e-16);
    expect(logarithm).toBeLessThan(5e-16);
  });

  test('end as they are documented to', () => {
    expect([canonicalExp(-Infinity), canonicalExp(Number.NaN), canonicalExp(709.1)]).toEqual([
      0,
      0,
      Infinity,
    ]);
  });
});

describe('the logistic functions', () => {
  test('keep their digits where one side is all but certain', () => {
    for (const x of [0, 1e-9, 0.3, 1, 5, 36, 40, 300, 700]) {
      expect(Math.abs(softplus(-x) / Math.log1p(Math.exp(-x)) - 1)).toBeLessThan(1e-15);
      expect(Math.abs(softplus(x) / (x + Math.log1p(Math.exp(-x))) - 1)).toBeLessThan(1e-15);
      expect(Math.abs((sigmoid(-x) / Math.exp(-x)) * (1 + Math.exp(-x)) - 1)).toBeLessThan(1e-15);
      expect(sigmoid(x) + sigmoid(-x)).toBeCloseTo(1, 15);
    }
    expect([softplus(-Infinity), softplus(-1e15), softplus(1e15)]).toEqual([0, 0, 1e15]);
    expect([sigmoid(-1e15), sigmoid(1e15)]).toEqual([0, 1]);
  });
});

describe('k3', () => {
  test.each([1e-12, 1e-5, 0.01, 0.3, 0.4999, 0.5, 3, 50, -1e-12, -0.01, -0.4999, -0.5, -3, -50, -1e4])(
    'of %f keeps its digits',
    (d) => {
      const { value, slope } = k3(d);
      // For a small d the first three terms, which the difference would lose.
      const expected = Math.abs(d) < 1e-3 ? (d * d) / 2 + d ** 3 / 6 + d ** 4 / 24 : Math.expm1(d) - d;
      expect(Math.abs(value / expected - 1)).toBeLessThan(1e-11);
      expect(Math.abs(slope / Math.expm1(d) - 1)).toBeLessThan(1e-14);
    },
  );

  test('of 0 is 0, and of too large a d an error', () => {
    expect(k3(0)).toEqual({ value: 0, slope: 0 });
    expect(() => k3(710)).toThrow('too far apart');
  });
});
