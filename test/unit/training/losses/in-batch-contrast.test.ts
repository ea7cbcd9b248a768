import { describe, expect, it } from 'vitest';
import { duplicateMask } from '../../../../src/training/losses/duplicate-mask.js';
import {
  type InBatchContrastOptions,
  inBatchContrast,
} from '../../../../src/training/losses/in-batch-contrast.js';
import {
  closeTo,
  expectDerivative,
  expectFinite,
  expectGradient,
  normals,
  overSizes,
} from './finite-differences.js';

/** Both directions as they are written down, one pair after the other. */
function slow(scores: Float64Array, t: number, options: InBatchContrastOptions): number {
  const { queries: n, direction = 'both', excluded } = options;
  const m = scores.length / n;
  const positives = options.positives ?? Array.from({ length: n }, (_, i) => i);
  const term = (i: number, j: number) => Math.exp(scores[i * m + j]! / t);
  let [forwards, backwards] = [0, 0];
  for (let i = 0; i < n; i++) {
    const positive = positives[i]!;
    let [row, column] = [0, 0];
    for (let j = 0; j < m; j++) if (!excluded?.[i * m + j]) row += term(i, j);
    for (let k = 0; k < n; k++) {
      if (excluded?.[k * m + positive] || (k !== i && positives[k] === positive)) continue;
      column += term(k, positive);
    }
    forwards -= Math.log(term(i, positive) / row) / n;
    backwards -= Math.log(term(i, positive) / column) / n;
  }
  if (direction === 'both') return (forwards + backwards) / 2;
  return direction === 'query-to-document' ? forwards : backwards;
}

const DIRECTIONS = ['query-to-document', 'document-to-query', 'both'] as const;

describe.each(DIRECTIONS)('inBatchContrast, %s', (direction) => {
  it('is its formula with the gradients of finite differences', () => {
    overSizes((random, n) => {
      for (const hard of [0, 3]) {
        const m = n + hard;
        const scores = normals(random, n * m);
        const excluded = Uint8Array.from({ length: n * m }, () => (random.chance(0.2) ? 1 : 0));
        const positives = Array.from({ length: n }, () => random.integer(0, m - 1));
        for (const [i, positive] of positives.entries()) excluded[i * m + positive] = 0;
        const options = { queries: n, direction, ...(hard === 0 ? {} : { excluded, positives }) };
        const loss = (s: Float64Array, temperature = 0.3) =>
          inBatchContrast(s, { ...options, temperature }).loss;
        const found = inBatchContrast(scores, { ...options, temperature: 0.3 });
        closeTo(found.loss, slow(scores, 0.3, options));
        expectGradient(loss, scores, found.gradient, { step: 3e-4 });
        expectDerivative((t) => loss(scores, t), 0.3, found.temperatureGradient);
      }
    });
  });

  it('stands ties and scores of 1e3', () => {
    for (const scores of [
      new Float64Array(9).fill(4),
      Float64Array.of(1e3, -1e3, 0, 1e3, -1e3, 1e3, 0, 0, 1),
    ]) {
      const found = inBatchContrast(scores, { queries: 3, direction });
      expectFinite([found.loss, ...found.gradient, found.temperatureGradient]);
      expectGradient((s) => inBatchContrast(s, { queries: 3, direction }).loss, scores, found.gradient, {
        magnitude: 1e3,
      });
    }
  });
});

describe('inBatchContrast', () => {
  it('compares hard negatives with queries only one way', () => {
    const scores = Float64Array.of(1, 2, 3, 4, 5, 6);
    const { gradient } = inBatchContrast(scores, { queries: 2, direction: 'document-to-query' });
    expect([gradient[2], gradient[5]]).toEqual([0, 0]);
    expect(gradient[0]).not.toBe(0);
    const { gradient: forwards } = inBatchContrast(scores, { queries: 2, direction: 'query-to-document' });
    expect(Math.min(forwards[2]!, forwards[5]!)).toBeGreaterThan(0);
  });

  it('does not push a copy of the positive away, which it does unmasked', () => {
    const scores = Float64Array.of(3, 3, 0, 3, 3, 0, 0, 0, 3);
    const excluded = duplicateMask(['flag', 'flag', 'other']);
    expect([...excluded]).toEqual([0, 1, 0, 1, 0, 0, 0, 0, 0]);
    const masked = inBatchContrast(scores, { queries: 3, excluded });
    expect([masked.gradient[1], masked.gradient[3]]).toEqual([0, 0]);
    const plain = inBatchContrast(scores, { queries: 3 });
    expect(plain.gradient[1]).toBeGreaterThan(0);
    expect(masked.loss).toBeLessThan(plain.loss);
  });

  it('lets two queries with one positive not compete for it', () => {
    const scores = Float64Array.of(5, 0, 5, 0);
    const { gradient, loss } = inBatchContrast(scores, {
      queries: 2,
      positives: [0, 0],
      direction: 'document-to-query',
    });
    expect(loss).toBe(0);
    expect([...gradient].every((g) => g === 0)).toBe(true);
  });

  it.each([
    ['TARGET_INVALID', { queries: 2, excluded: Uint8Array.of(1, 0, 0, 0) }],
    ['LENGTH_MISMATCH', { queries: 3 }],
    ['LENGTH_MISMATCH', { queries: 2, excluded: new Uint8Array(3) }],
    ['LENGTH_MISMATCH', { queries: 2, positives: [0] }],
    ['INVALID_ARGUMENT', { queries: 2, positives: [0, 2] }],
    ['INVALID_ARGUMENT', { queries: 4 }],
    ['INVALID_ARGUMENT', { queries: 0 }],
    ['INVALID_ARGUMENT', { queries: 2, direction: 'up' as never }],
    ['INVALID_ARGUMENT', { queries: 2, excluded: [0, 0, 0, 0] as never }],
    ['TEMPERATURE_INVALID', { queries: 2, temperature: Number.NaN }],
    ['NOT_FINITE', { queries: 2, temperature: 1e-308 }],
  ] as const)('refuses with %s: %j', (code, options) => {
    const scores = Float64Array.of(1e3, 2e3, 3, 4);
    expect(() => inBatchContrast(scores, options)).toThrow(expect.objectContaining({ code }));
  });

  it('refuses NaN', () => {
    expect(() => inBatchContrast(Float64Array.of(Number.NaN), { queries: 1 })).toThrow(
      expect.objectContaining({ code: 'NOT_FINITE' }),
    );
  });
});
