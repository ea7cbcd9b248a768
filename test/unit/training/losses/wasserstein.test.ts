import { describe, expect, it } from 'vitest';
import { SeededRandom } from '../../../../src/ranking/seeded-random.js';
import { polarFactor } from '../../../../src/training/losses/polar-factor.js';
import { blockDiagonalLabels, wasserstein } from '../../../../src/training/losses/wasserstein.js';
import {
  closeTo,
  difference,
  expectDerivative,
  expectFinite,
  expectGradient,
  normals,
  plainSoftmax,
} from './finite-differences.js';

type Rows = number[][];

const times = (a: Rows, b: Rows): Rows =>
  a.map((row) => b[0]!.map((_, j) => row.reduce((sum, x, k) => sum + x * b[k]![j]!, 0)));
const transposed = (a: Rows): Rows => a[0]!.map((_, j) => a.map((row) => row[j]!));
const trace = (a: Rows) => a.reduce((sum, row, i) => sum + row[i]!, 0);

/** Eigenvalues of a symmetric matrix by two-sided Jacobi rotations, each a product of whole matrices. */
function eigen(matrix: Rows): { values: number[]; vectors: Rows } {
  const identity = (): Rows => matrix.map((_, i) => matrix.map((_, j) => Number(i === j)));
  let [a, vectors] = [matrix, identity()];
  for (let sweep = 0; sweep < 12; sweep++) {
    for (let p = 0; p < a.length; p++) {
      for (let q = p + 1; q < a.length; q++) {
        const angle = 0.5 * Math.atan2(2 * a[p]![q]!, a[p]![p]! - a[q]![q]!);
        const rotation = identity();
        rotation[p]![p] = rotation[q]![q] = Math.cos(angle);
        rotation[q]![p] = Math.sin(angle);
        rotation[p]![q] = -Math.sin(angle);
        a = times(times(transposed(rotation), a), rotation);
        vectors = times(vectors, rotation);
      }
    }
  }
  return { values: a.map((row, i) => row[i]!), vectors };
}

function root(matrix: Rows): Rows {
  const { values, vectors } = eigen(matrix);
  const scaled = vectors.map((row) => row.map((x, j) => x * Math.sqrt(Math.max(0, values[j]!))));
  return times(scaled, transposed(vectors));
}

/** The distance over m x m covariances: Tr (C_X C_Y)^(1/2) = Tr (C_X^(1/2) C_Y C_X^(1/2))^(1/2). */
function slow(x: Rows, y: Rows): number {
  const mean = (rows: Rows) =>
    rows[0]!.map((_, j) => rows.reduce((sum, row) => sum + row[j]!, 0) / rows.length);
  const covariance = (rows: Rows): Rows => {
    const m = mean(rows);
    const away = rows.map((row) => row.map((value, j) => value - m[j]!));
    return times(transposed(away), away).map((row) => row.map((value) => value / (rows.length - 1)));
  };
  const [cx, cy] = [covariance(x), covariance(y)];
  const half = root(cx);
  const middle = root(times(times(half, cy), half));
  const my = mean(y);
  const shift = mean(x).reduce((sum, value, j) => sum + (value - my[j]!) ** 2, 0);
  return shift + trace(cx) + trace(cy) - 2 * trace(middle);
}

const rowsOf = (values: Float64Array, queries: number): Rows =>
  Array.from({ length: queries }, (_, i) =>
    Array.from(values.subarray((i * values.length) / queries, ((i + 1) * values.length) / queries)),
  );

describe('wasserstein', () => {
  // More documents than queries, as many, fewer; the least of each.
  const SHAPES = [
    [2, 1],
    [2, 2],
    [2, 7],
    [3, 5],
    [5, 3],
    [6, 6],
  ] as const;

  it.each(SHAPES)('is its formula over covariances, %i x %i', (queries, documents) => {
    for (const seed of [1, 2]) {
      const random = new SeededRandom(seed);
      const [s, y] = [normals(random, queries * documents), normals(random, queries * documents)];
      const expected = slow(
        rowsOf(s, queries).map((row) => plainSoftmax(row, 0.7)),
        rowsOf(y, queries).map((row) => plainSoftmax(row, 2)),
      );
      // Roots of eigenvalues that should be 0 cost the slow form half its digits.
      closeTo(wasserstein(s, y, { queries, temperature: 0.7, labelTemperature: 2 }).loss, expected, 1e-7);
    }
  });

  it.each(SHAPES)('has the gradients of finite differences, %i x %i', (queries, documents) => {
    for (const seed of [1, 2, 3]) {
      const random = new SeededRandom(seed);
      const s = normals(random, queries * documents);
      const y = Float64Array.from(s, () => random.integer(0, 3));
      const loss = (x: Float64Array, temperature = 0.7) => wasserstein(x, y, { queries, temperature }).loss;
      const found = wasserstein(s, y, { queries, temperature: 0.7 });
      expectGradient(loss, s, found.gradient, { step: 2e-4 });
      expectDerivative((t) => loss(s, t), 0.7, found.temperatureGradient);
    }
  });

  it('is 0 and at rest where predictions are the targets, in any order of the queries', () => {
    const y = normals(new SeededRandom(4), 12);
    const exchanged = Float64Array.of(...y.subarray(4, 8), ...y.subarray(0, 4), ...y.subarray(8));
    for (const scores of [y, exchanged]) closeTo(wasserstein(scores, y, { queries: 3 }).loss, 0);
    for (const g of wasserstein(y, y, { queries: 3 }).gradient) closeTo(g, 0);
  });

  it('stands scores of 1e3, ties and labels that are all equal', () => {
    const y = Float64Array.of(1, 0, 0, 0, 1, 0);
    for (const [scores, labels] of [
      [Float64Array.of(1e3, -1e3, 0, -1e3, 1e3, 0), y],
      [new Float64Array(6), y],
      [Float64Array.of(1, 2, 3, 3, 1, 2), new Float64Array(6)],
    ] as const) {
      const found = wasserstein(scores, labels, { queries: 2 });
      expectFinite([found.loss, ...found.gradient, found.temperatureGradient]);
      // All scores equal is a kink, which the next test takes.
      if (scores.every((score) => score === 0)) continue;
      expectGradient((s) => wasserstein(s, labels, { queries: 2 }).loss, scores, found.gradient);
    }
  });

  it('takes the middle of a kink, where rows are equal', () => {
    const random = new SeededRandom(7);
    const s = normals(random, 15);
    s.copyWithin(5, 0, 5);
    const y = normals(random, 15);
    const loss = (x: Float64Array) => wasserstein(x, y, { queries: 3 }).loss;
    const { gradient } = wasserstein(s, y, { queries: 3 });
    const slopes = Array.from(s, (_, i) => difference(loss, s, i, 1e-6));
    for (const [i, slope] of slopes.entries()) closeTo(gradient[i]!, slope, 1e-5);
    // A hair beside it the loss is smooth again, and its gradient is as large as ever.
    const beside = s.map((value, i) => value + (i < 5 ? 1e-9 * (i + 1) : 0));
    const norm = (g: Float64Array) => Math.sqrt(g.reduce((sum, x) => sum + x * x, 0));
    expect(norm(wasserstein(beside, y, { queries: 3 }).gradient)).toBeLessThan(10);
  });

  it('goes down along its gradient to the targets', () => {
    const y = blockDiagonalLabels([Float64Array.of(3, 0), Float64Array.of(0, 3), Float64Array.of(2)]);
    let s = normals(new SeededRandom(2), 15);
    for (let step = 0; step < 1500; step++) {
      const { gradient } = wasserstein(s, y, { queries: 3 });
      s = s.map((value, i) => value - 5 * gradient[i]!);
    }
    expect(wasserstein(s, y, { queries: 3 }).loss).toBeLessThan(1e-6);
  });

  it.each([
    ['INVALID_ARGUMENT', Float64Array.of(1, 2), 1],
    ['LENGTH_MISMATCH', Float64Array.of(1, 2, 3), 2],
    ['NOT_FINITE', Float64Array.of(1, Number.NaN), 2],
  ] as const)('refuses with %s', (code, scores, queries) => {
    expect(() => wasserstein(scores, new Float64Array(scores.length), { queries })).toThrow(
      expect.objectContaining({ code }),
    );
  });
});

describe('blockDiagonalLabels', () => {
  it("gives others' documents 0", () => {
    const labels = blockDiagonalLabels([Float64Array.of(2, 1), Float32Array.of(3)]);
    expect([...labels]).toEqual([2, 1, 0, 0, 0, 3]);
  });
});

describe('polarFactor', () => {
  it('is a rotation times a symmetric matrix without negative eigenvalues, whose trace is the norm', () => {
    for (const n of [1, 2, 9, 30]) {
      const matrix = normals(new SeededRandom(n), n * n);
      const { nuclearNorm, factor } = polarFactor(matrix, n, 0);
      const [m, w] = [rowsOf(matrix, n), rowsOf(factor, n)];
      for (const [i, row] of times(transposed(w), w).entries()) {
        for (const [j, value] of row.entries()) closeTo(value, Number(i === j), 1e-12);
      }
      const symmetric = times(transposed(w), m);
      closeTo(trace(symmetric), nuclearNorm, 1e-12);
      for (const [i, row] of symmetric.entries()) {
        for (const [j, value] of row.entries()) closeTo(value, symmetric[j]![i]!, 1e-11);
      }
      if (n === 9) expect(Math.min(...eigen(symmetric).values)).toBeGreaterThan(0);
    }
  });

  it('keeps the digits of small singular values, and leaves out those up to the tolerance', () => {
    const [c, s] = [Math.cos(0.7), Math.sin(0.7)];
    const matrix = Float64Array.of(c, -1e-12 * s, s, 1e-12 * c);
    closeTo(polarFactor(matrix, 2, 1e-15).nuclearNorm, 1 + 1e-12, 1e-15);
    const kept = [...polarFactor(matrix, 2, 1e-15).factor];
    for (const [i, value] of [c, -s, s, c].entries()) closeTo(kept[i]!, value, 1e-12);
    const least = [...polarFactor(matrix, 2, 1e-11).factor];
    for (const [i, value] of [c, 0, s, 0].entries()) closeTo(least[i]!, value, 1e-11);
    expect([...polarFactor(new Float64Array(9), 3, 0).factor].every((x) => x === 0)).toBe(true);
  });
});
