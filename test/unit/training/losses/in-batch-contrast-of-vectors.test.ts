import { describe, expect, it } from 'vitest';
import { SeededRandom } from '../../../../src/ranking/seeded-random.js';
import type { VectorContrastOptions } from '../../../../src/training/losses/contrast-arguments.js';
import { duplicateMask } from '../../../../src/training/losses/duplicate-mask.js';
import { inBatchContrast } from '../../../../src/training/losses/in-batch-contrast.js';
import {
  type InBatchContrastOfVectorsOptions,
  inBatchContrastOfVectors,
  type VectorContrast,
} from '../../../../src/training/losses/in-batch-contrast-of-vectors.js';
import { type Matrix, matrix } from '../../../../src/vectors/matrix.js';
import { sameBits } from '../towers/same-bits.js';
import { closeTo, difference } from './finite-differences.js';

const DIRECTIONS = ['query-to-document', 'document-to-query', 'both'] as const;

function unitVectors(rows: number, columns: number, seed: string, length = 1): Matrix {
  const random = new SeededRandom(seed);
  const data = Float32Array.from({ length: rows * columns }, () => random.normal());
  for (let r = 0; r < rows; r++) {
    const row = data.subarray(r * columns, (r + 1) * columns);
    const norm = Math.sqrt(row.reduce((sum, x) => sum + x * x, 0));
    row.forEach((x, c) => {
      row[c] = (x * length) / norm;
    });
  }
  return matrix(data, columns);
}

function logSum(exponents: readonly number[]): number {
  const greatest = Math.max(...exponents);
  return greatest + Math.log(exponents.reduce((sum, x) => sum + Math.exp(x - greatest), 0));
}

/** The formula as it is written down, in float64. */
function slow(
  q: Float64Array,
  d: Float64Array,
  columns: number,
  { temperature: t = 1, direction = 'both', groups, weights }: VectorContrastOptions,
): number {
  const [n, m] = [q.length / columns, d.length / columns];
  const score = (i: number, j: number) => {
    let sum = 0;
    for (let c = 0; c < columns; c++) sum += q[i * columns + c]! * d[j * columns + c]!;
    return sum / t;
  };
  const counts = (i: number, j: number) => i === j || !groups || groups[i] !== groups[j];
  let [loss, total] = [0, 0];
  for (let i = 0; i < n; i++) {
    const indices = (count: number) => Array.from({ length: count }, (_, j) => j);
    const row = logSum(indices(m).flatMap((j) => (counts(i, j) ? [score(i, j) - score(i, i)] : [])));
    const column = logSum(indices(n).flatMap((k) => (counts(k, i) ? [score(k, i) - score(i, i)] : [])));
    const share = { 'query-to-document': 1, 'document-to-query': 0, both: 0.5 }[direction];
    const weight = weights?.[i] ?? 1;
    loss += weight * (share * row + (1 - share) * column);
    total += weight;
  }
  return loss / total;
}

/** By `inBatchContrast` and the products in float64. */
function oracle(q: Matrix, d: Matrix, options: InBatchContrastOfVectorsOptions) {
  const [n, m, columns] = [q.rows, d.rows, q.columns];
  const { temperature, direction, groups } = options;
  const at = ({ data }: Matrix, row: number, c: number) => data[row * columns + c]!;
  const scores = new Float64Array(n * m);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < m; j++) {
      for (let c = 0; c < columns; c++) scores[i * m + j]! += at(q, i, c) * at(d, j, c);
    }
  }
  const positives = options.positives ?? Array.from({ length: n }, (_, i) => i);
  const excluded = groups ? duplicateMask([...groups], positives) : new Uint8Array(n * m);
  for (const [i, columns] of options.excluded?.entries() ?? []) {
    for (const j of Array.from(columns)) excluded[i * m + j] = 1;
  }
  const found = inBatchContrast(scores, { queries: n, temperature, direction, positives, excluded });
  const [queries, documents] = [new Float64Array(n * columns), new Float64Array(m * columns)];
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < m; j++) {
      const g = found.gradient[i * m + j]!;
      for (let c = 0; c < columns; c++) {
        queries[i * columns + c]! += g * at(d, j, c);
        documents[j * columns + c]! += g * at(q, i, c);
      }
    }
  }
  return { ...found, queries, documents };
}

/** The greatest difference, as a share of the greatest number. */
function furthest(found: ArrayLike<number>, expected: ArrayLike<number>): number {
  expect(found.length).toBe(expected.length);
  let [greatest, most] = [0, 0];
  for (let i = 0; i < expected.length; i++) {
    greatest = Math.max(greatest, Math.abs(expected[i]!));
    most = Math.max(most, Math.abs(expected[i]! - found[i]!));
    if (Number.isNaN(found[i])) return Number.NaN;
  }
  return most / greatest;
}

const bits = ({ loss, temperatureGradient, queryGradient, documentGradient }: VectorContrast) => [
  new Float32Array(Float64Array.of(loss, temperatureGradient).buffer),
  queryGradient.data,
  documentGradient.data,
];

describe.each(DIRECTIONS)('inBatchContrastOfVectors, %s', (direction) => {
  it.each([
    ['at t = 0.5', 0.5, 1, 1e-5],
    // 2 |q| |d| is above 600 t: the directions go one after the other.
    ['at t = 0.01, with vectors of length 2', 0.01, 2, 5e-5],
  ])('has the gradients of finite differences, %s', async (_, temperature, length, rounding) => {
    const [columns, n, m] = [6, 5, 8];
    const [q, d] = [unitVectors(n, columns, 'q', length), unitVectors(m, columns, 'd', length)];
    const options = {
      temperature,
      direction,
      groups: Uint32Array.of(0, 1, 0, 2, 3, 1, 4, 5),
      weights: Float64Array.of(1, 2, 0.5, 0, 3),
    };
    const [q64, d64] = [Float64Array.from(q.data), Float64Array.from(d.data)];
    const found = await inBatchContrastOfVectors(q, d, options);
    closeTo(found.loss, slow(q64, d64, columns, options), rounding);
    const step = 1e-3 * temperature;
    const byQuery = q64.map((__, i) => difference((x) => slow(x, d64, columns, options), q64, i, step));
    const byDocument = d64.map((__, i) => difference((x) => slow(q64, x, columns, options), d64, i, step));
    expect(furthest(found.queryGradient.data, byQuery)).toBeLessThan(rounding);
    expect(furthest(found.documentGradient.data, byDocument)).toBeLessThan(rounding);
    const byTemperature = difference(
      (t) => slow(q64, d64, columns, { ...options, temperature: t[0]! }),
      Float64Array.of(temperature),
      0,
      step,
    );
    closeTo(found.temperatureGradient, byTemperature, rounding);
  });

  it.each([
    [1, 1, 3],
    [1, 4, 1],
    [70, 70, 33],
    [65, 110, 20],
  ])('is float64 up to rounding: %i queries, %i documents, %i columns', async (n, m, columns) => {
    const [q, d] = [unitVectors(n, columns, `q ${n}`), unitVectors(m, columns, `d ${m}`)];
    const groups = Uint32Array.from({ length: m }, (_, j) => j % Math.ceil(m * 0.8));
    for (const temperature of [1, 0.05, 0.002]) {
      const options = { temperature, direction, groups };
      const [found, expected] = [await inBatchContrastOfVectors(q, d, options), oracle(q, d, options)];
      // What float32 similarities lose is divided by t.
      const rounding = Math.max(1e-6, 2e-7 / temperature);
      closeTo(found.loss, expected.loss, rounding);
      closeTo(found.temperatureGradient, expected.temperatureGradient, rounding);
      if (n === 1 && m === 1) {
        expect(found.loss).toBe(0);
        expect([...found.queryGradient.data, ...found.documentGradient.data].every((g) => g === 0)).toBe(
          true,
        );
      } else if (n > 1 || direction !== 'document-to-query') {
        expect(furthest(found.queryGradient.data, expected.queries)).toBeLessThan(rounding);
        expect(furthest(found.documentGradient.data, expected.documents)).toBeLessThan(rounding);
      }
    }
  });

  it('is float64 up to rounding where a positive is as far below the others as both directions at once can hold', async () => {
    // 2 |q| |d| = 599 t, and the similarities are its two ends.
    const length = Math.sqrt(299.5);
    const q = matrix(Float32Array.of(length, 0, 0, length), 2);
    const d = matrix(Float32Array.of(-length, 0, length, 0, 0, -length), 2);
    const options = { temperature: 1, direction };
    const [found, expected] = [await inBatchContrastOfVectors(q, d, options), oracle(q, d, options)];
    closeTo(found.loss, expected.loss, 1e-6);
    closeTo(found.temperatureGradient, expected.temperatureGradient, 1e-6);
    expect(furthest(found.queryGradient.data, expected.queries)).toBeLessThan(1e-6);
    expect(furthest(found.documentGradient.data, expected.documents)).toBeLessThan(1e-6);
  });

  it('is float64 up to rounding where one vector of each side is far longer than the others', async () => {
    // Their product alone takes the similarities beyond what both directions at once can hold.
    const [q, d] = [unitVectors(9, 5, 'q'), unitVectors(12, 5, 'd')];
    for (const { data } of [q, d])
      data.set(
        data.subarray(10, 15).map((x) => 40 * x),
        10,
      );
    const options = { temperature: 0.5, direction };
    const [found, expected] = [await inBatchContrastOfVectors(q, d, options), oracle(q, d, options)];
    closeTo(found.loss, expected.loss, 1e-5);
    closeTo(found.temperatureGradient, expected.temperatureGradient, 1e-5);
    expect(furthest(found.queryGradient.data, expected.queries)).toBeLessThan(1e-5);
    expect(furthest(found.documentGradient.data, expected.documents)).toBeLessThan(1e-5);
  });

  it.each([
    [70, 30, 9],
    [5, 4, 4],
    [20, 90, 12],
  ])(
    'knows positives that queries share and excluded pairs: %i queries, %i documents',
    async (n, m, columns) => {
      const [q, d] = [unitVectors(n, columns, `q ${n}`, 2), unitVectors(m, columns, `d ${m}`)];
      const positives = Uint32Array.from({ length: n }, (_, i) => (i * 5) % Math.min(m - 1, 17));
      const excluded = Array.from(positives, (own, i) =>
        [i % 3, 7 + (i % 11), m - 1].filter((j) => j < m && j !== own),
      );
      const groups = Uint32Array.from({ length: m }, (_, j) => (j === 4 ? 2 : j));
      // At 0.004 2 |q| |d| is above 600 t: the directions go one after the other.
      for (const temperature of [1, 0.05, 0.004]) {
        for (const grouped of [{}, { groups }]) {
          const options = { temperature, direction, positives, excluded, ...grouped };
          const [found, expected] = [await inBatchContrastOfVectors(q, d, options), oracle(q, d, options)];
          const rounding = Math.max(1e-6, 4e-7 / temperature);
          closeTo(found.loss, expected.loss, rounding);
          closeTo(found.temperatureGradient, expected.temperatureGradient, rounding);
          expect(furthest(found.queryGradient.data, expected.queries)).toBeLessThan(rounding);
          expect(furthest(found.documentGradient.data, expected.documents)).toBeLessThan(rounding);
        }
      }
    },
  );

  it('does not count excluded pairs at the highest temperature', async () => {
    const [q, d] = [unitVectors(4, 3, 'q'), unitVectors(6, 3, 'd')];
    const excluded = [[1, 4], [], [5], [0, 1, 4, 5]];
    const { loss } = await inBatchContrastOfVectors(q, d, { temperature: 1e30, direction, excluded });
    // All scores are alike: of n that count the right one has 1 / n.
    const mean = (counts: readonly number[]) => counts.reduce((sum, n) => sum + Math.log(n) / 4, 0);
    const [forth, back] = [mean([4, 6, 5, 2]), mean([3, 2, 4, 4])];
    const expected = { 'query-to-document': forth, 'document-to-query': back, both: (forth + back) / 2 };
    closeTo(loss, expected[direction], 1e-9);
  });

  it('has the same bits for every number of threads', async () => {
    const [q, d] = [unitVectors(150, 40, 'q'), unitVectors(180, 40, 'd')];
    const [one, two, many] = await Promise.all(
      [1, 2, 5].map(async (threads) =>
        bits(await inBatchContrastOfVectors(q, d, { temperature: 0.05, direction, threads })),
      ),
    );
    expect(sameBits(two!, one!)).toBe(true);
    expect(sameBits(many!, one!)).toBe(true);
  });

  it('learns nothing from pairs of one group, and not the weight of all from weights', async () => {
    const [q, d] = [unitVectors(3, 4, 'q'), unitVectors(3, 4, 'd')];
    const alone = await inBatchContrastOfVectors(q, d, { direction, groups: new Uint32Array(3) });
    expect(alone.loss).toBe(0);
    expect([...alone.queryGradient.data].every((g) => g === 0)).toBe(true);
    const plain = await inBatchContrastOfVectors(q, d, { direction });
    const heavy = await inBatchContrastOfVectors(q, d, { direction, weights: Float32Array.of(4, 4, 4) });
    expect(sameBits(bits(heavy), bits(plain))).toBe(true);
  });
});

describe('inBatchContrastOfVectors', () => {
  const [q, d] = [unitVectors(2, 3, 'q'), unitVectors(3, 3, 'd')];
  const filled = (value: number) => matrix(new Float32Array(6).fill(value), 3);
  const code = (expected: string) => expect.objectContaining({ code: expected });

  it.each([
    ['LENGTH_MISMATCH', d, q, {}],
    ['LENGTH_MISMATCH', q, unitVectors(3, 4, 'd'), {}],
    ['LENGTH_MISMATCH', matrix(new Float32Array(0), 3), d, {}],
    ['LENGTH_MISMATCH', q, d, { groups: new Uint32Array(2) }],
    ['LENGTH_MISMATCH', q, d, { weights: new Float64Array(3) }],
    ['INVALID_ARGUMENT', undefined as never, d, {}],
    ['INVALID_ARGUMENT', q, d, { groups: [0, 1, 2] as never }],
    ['INVALID_ARGUMENT', q, d, { direction: 'up' as never }],
    ['INVALID_ARGUMENT', q, d, { unknown: 1 } as never],
    ['LENGTH_MISMATCH', q, d, { positives: [0] }],
    ['LENGTH_MISMATCH', q, d, { excluded: [[1]] }],
    ['INVALID_ARGUMENT', q, d, { positives: [0, 3] }],
    ['INVALID_ARGUMENT', q, d, { excluded: [[1], [3]] }],
    ['TARGET_INVALID', q, d, { excluded: [[1], [1]] }],
    ['TARGET_INVALID', q, d, { positives: [0, 2], excluded: [[1], [2]] }],
    ['TEMPERATURE_INVALID', q, d, { temperature: 0 }],
    ['TEMPERATURE_INVALID', q, d, { temperature: 1e31 }],
    ['TARGET_INVALID', q, d, { weights: Float64Array.of(1, -1) }],
    ['TARGET_INVALID', q, d, { weights: Float64Array.of(0, 0) }],
    ['NOT_FINITE', q, d, { weights: Float64Array.of(1, Number.NaN) }],
    ['NOT_FINITE', q, d, { temperature: 1e-308 }],
    ['NOT_FINITE', q, d, { temperature: 1e-45 }],
    ['NOT_FINITE', filled(1e20), filled(1e20), {}],
  ] as const)('refuses with %s', async (expected, queries, documents, options) => {
    await expect(inBatchContrastOfVectors(queries, documents, options)).rejects.toThrow(code(expected));
  });

  it.each([
    // (s_i - s) / t is beyond float64, dL/ds is not beyond float32: its query counts next to nothing.
    ['the loss', 1e-308, 1e-280],
    // dL/ds is 1e35, and dL/dt 1e310.
    ['the gradient of the temperature', 1e-275, 1e-240],
  ])('refuses where %s alone is not finite', async (_, temperature, little) => {
    const queries = matrix(Float32Array.of(1, 0, 0, 10), 2);
    const documents = matrix(Float32Array.of(1, 0, 0, -1), 2);
    const weights = Float64Array.of(1, little);
    for (const direction of DIRECTIONS) {
      await expect(
        inBatchContrastOfVectors(queries, documents, { temperature, weights, direction }),
      ).rejects.toMatchObject({
        code: 'NOT_FINITE',
        message: expect.stringContaining('the loss is not finite'),
      });
    }
  });

  it('says where a number is not finite', async () => {
    const bad = { ...d, data: d.data.slice() };
    bad.data[7] = Number.NaN;
    await expect(inBatchContrastOfVectors(q, bad)).rejects.toMatchObject({
      code: 'NOT_FINITE',
      details: { row: 2, column: 1 },
    });
  });

  it('says whose number it is, also of a similarity', async () => {
    const changed = ({ data, ...rest }: Matrix, place: number, value: number) => ({
      ...rest,
      data: data.with(place, value),
    });
    for (const [queries, documents, message] of [
      [changed(q, 5, Number.NaN), d, 'query 1, column 2 is'],
      [q, changed(d, 7, Number.NEGATIVE_INFINITY), 'document 2, column 1 is'],
      [changed(q, 4, 1e20), changed(d, 7, 1e20), 'similarities with vector 1, column 2 is'],
    ] as const) {
      await expect(
        inBatchContrastOfVectors(queries, documents, { direction: 'query-to-document' }),
      ).rejects.toMatchObject({ code: 'NOT_FINITE', message: expect.stringContaining(message) });
    }
  });

  it('stops', async () => {
    const stopped = AbortSignal.abort();
    await expect(inBatchContrastOfVectors(q, d, { signal: stopped })).rejects.toThrow(code('ABORTED'));
  });
});
