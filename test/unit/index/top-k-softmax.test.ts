import { expect, it } from 'vitest';
import { topKSoftmax } from '../../../src/index.js';

it('the k highest as a distribution, with their share of the whole', async () => {
  const scores = Float32Array.from([1, 2, 4, 1], Math.log);
  const result = await topKSoftmax(scores, { k: 2 });
  expect([...result.rows]).toEqual([2, 1]);
  expect([...result.scores]).toEqual([scores[2], scores[1]]);
  expect(result.probabilities[0]).toBeCloseTo(2 / 3, 6);
  expect(result.probabilities[1]).toBeCloseTo(1 / 3, 6);
  expect(result.logSumExp).toBeCloseTo(Math.log(8), 6);
  expect(result.mass).toBeCloseTo(6 / 8, 6);
});

it('a low temperature sharpens', async () => {
  const { probabilities } = await topKSoftmax(Float32Array.of(0.9, 0.8), { k: 2, temperature: 0.01 });
  expect(probabilities[0]).toBeGreaterThan(0.9999);
});
