import { expect, it } from 'vitest';
import { topKSoftmax } from '../../src/index.js';
import { expectBits } from './expect-bits.js';
import { best, logSumExp, softmax } from './oracle.js';
import { Seeded } from './seeded.js';

/** Distance to the next float32. */
function float32Ulp(value: number): number {
  return 2 ** (Math.max(-126, Math.floor(Math.log2(value))) - 23);
}

async function check(scores: Float32Array, k: number, temperature: number): Promise<void> {
  const what = `${scores.length} scores, k ${k}, t ${temperature}`;
  const result = await topKSoftmax(scores, { k, temperature });
  const expected = best(
    Array.from(scores, (score, row) => ({ row, score })),
    k,
  );
  expect([...result.rows], `${what}: rows`).toEqual(expected.rows);
  expectBits(result.scores, expected.scores, `${what}: scores`);
  expectBits(result.probabilities, softmax(expected.scores, temperature), `${what}: probabilities`);

  // And against the mathematics library: one unit in the last place of float32.
  const terms = expected.scores.map((score) => Math.exp((score - expected.scores[0]!) / temperature));
  const sum = terms.reduce((a, b) => a + b);
  for (const [i, term] of terms.entries()) {
    const probability = term / sum;
    if (probability < 1e-38) continue;
    const error = Math.abs(result.probabilities[i]! - probability);
    expect(error, `${what}: probability ${i}`).toBeLessThanOrEqual(float32Ulp(probability));
  }
  expect(Math.abs(result.probabilities.reduce((a, b) => a + b) - 1), `${what}: sum`).toBeLessThan(1e-6);

  const all = logSumExp([...scores], temperature);
  expect(Math.abs(result.logSumExp - all), `${what}: logSumExp`).toBeLessThanOrEqual(
    1e-13 * Math.max(1, Math.abs(all)),
  );
  const mass = Math.exp(logSumExp(expected.scores, temperature) - all);
  expect(result.mass, `${what}: mass`).toBeLessThanOrEqual(1);
  expect(Math.abs(result.mass - mass), `${what}: mass`).toBeLessThan(1e-9);
}

export function softmaxCases(): void {
  it.each([1, 2, 3, 7, 8, 9, 15, 16, 17, 31, 33, 63, 64, 65, 1_000, 4_095, 4_096, 4_097, 10_001])(
    '%i scores',
    async (length) => {
      const seeded = new Seeded(length);
      for (const temperature of [1, 0.01, 3.7]) {
        const scores = seeded.normal(length);
        for (const k of new Set([1, Math.min(length, 10), length])) await check(scores, k, temperature);
      }
    },
  );

  it('ties go to the lower position', async () => {
    const seeded = new Seeded(41);
    for (const k of [1, 5, 700, 1_000]) await check(seeded.ternary(1_000), k, 0.5);
    await check(new Float32Array(100).fill(2.5), 30, 1);
    await check(new Float32Array(100).fill(-0), 30, 1);
  });

  it('extreme scores and temperatures give no NaN', async () => {
    const extremes = [3.4e38, -3.4e38, 0, 1e-45, -1e30, 1e30];
    const seeded = new Seeded(43);
    for (const temperature of [1e-300, 5e-324, 1e-9, 1, 1e30, 1.7e308]) {
      const { probabilities, mass } = await topKSoftmax(seeded.from(extremes, 64), { k: 20, temperature });
      expect(
        probabilities.every((p) => p >= 0 && p <= 1),
        `t ${temperature}`,
      ).toBe(true);
      expect(Math.abs(probabilities.reduce((a, b) => a + b) - 1), `t ${temperature}`).toBeLessThan(1e-6);
      expect(mass > 0 && mass <= 1, `t ${temperature}: mass ${mass}`).toBe(true);
    }
  });

  it('the temperature is 1 by default', async () => {
    const scores = new Seeded(47).normal(50);
    expect(await topKSoftmax(scores, { k: 5 })).toEqual(await topKSoftmax(scores, { k: 5, temperature: 1 }));
  });
}
