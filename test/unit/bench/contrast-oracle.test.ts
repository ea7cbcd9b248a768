import { expect, it } from 'vitest';

const path = '../../../bench/contrast-oracle.mjs';
const { CONTRAST, contrastLosses, shareOfRight } = (await import(path)) as {
  CONTRAST: { temperature: number };
  contrastLosses(workload: object, queries: Float32Array, documents: Float32Array, steps: number): number[];
  shareOfRight(losses: number[], answered: number[]): number;
};

const [pairs, dimension, output] = [9, 5, 3];
const vectors = (seed: number) =>
  Float32Array.from({ length: pairs * dimension }, (_, i) => Math.sin(seed + 7 * i));

it('training steps of the oracle begin with the loss of the first towers, and lower it', () => {
  const sides = [vectors(1), vectors(2)].map((side) => {
    const row = (i: number) => [...side.subarray(i * dimension, (i + 1) * dimension)];
    const product = (a: number[], b: number[]) => a.reduce((sum, x, c) => sum + x * b[c]!, 0);
    return Array.from({ length: pairs }, (_, i) => {
      const mapped = Array.from({ length: output }, (__, o) => product(row(i), row(o)));
      return mapped.map((x) => x / Math.hypot(...mapped));
    });
  });
  const [queries, documents] = sides as [number[][], number[][]];
  const term = (i: number, j: number) =>
    Math.exp(queries[i]!.reduce((sum, x, c) => sum + x * documents[j]![c]!, 0) / CONTRAST.temperature);
  const all = Array.from({ length: pairs }, (_, i) => i);
  const sum = (numbers: number[]) => numbers.reduce((total, x) => total + x);
  const first = sum(
    all.map((i) => {
      const found = term(i, i) / sum(all.map((j) => term(i, j)));
      const foundBy = term(i, i) / sum(all.map((j) => term(j, i)));
      return -(Math.log(found) + Math.log(foundBy)) / 2 / pairs;
    }),
  );
  const losses = contrastLosses({ pairs, dimension, output }, vectors(1), vectors(2), 30);
  expect(losses[0]).toBeCloseTo(first, 9);
  for (const [step, loss] of losses.slice(1).entries()) expect(loss).toBeLessThan(losses[step]!);
});

it('losses that are off, missing or not numbers are not right', () => {
  expect(shareOfRight([2, 3], [2.001, 2.9985])).toBe(1);
  expect(shareOfRight([2, 3], [2.01, 3])).toBe(0.5);
  expect(shareOfRight([2, 3], [Number.NaN])).toBe(0);
});
