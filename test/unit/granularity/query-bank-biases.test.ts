import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { queryBankBiases, similarityTile } from '../../../src/granularity/index.js';
import { FlatIndex } from '../../../src/index.js';
import { matrix, matrixRow } from '../../../src/vectors/matrix.js';
import { Seeded } from '../../conformance/seeded.js';

/** As published, on the exponentials themselves. */
function slow(s: number[][], t: number, rounds: number): number[] {
  const greatest = Math.max(...s.flat());
  const e = s.map((row) => row.map((value) => Math.exp((value - greatest) / t)));
  let b = e[0]!.map((_, j) => 1 / e.reduce((sum, row) => sum + row[j]!, 0));
  for (let round = 0; round < rounds; round++) {
    const a = e.map((row) => 1 / row.reduce((sum, value, j) => sum + value * b[j]!, 0));
    b = b.map((_, j) => 1 / e.reduce((sum, row, i) => sum + a[i]! * row[j]!, 0));
  }
  const total = b.reduce((sum, value) => sum + value, 0);
  return b.map((value) => t * Math.log(value / total));
}

describe('queryBankBiases', () => {
  it('agrees with the published steps where those do not underflow', () => {
    const cases = fc
      .tuple(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 6 }))
      .chain(([queries, rows, rounds]) => {
        const value = fc.integer({ min: -16, max: 16 }).map((v) => v / 16);
        const row = fc.array(value, { minLength: rows, maxLength: rows });
        return fc.record({
          s: fc.array(row, { minLength: queries, maxLength: queries }),
          rounds: fc.constant(rounds),
        });
      });
    fc.assert(
      fc.property(cases, ({ s, rounds }) => {
        const scores = matrix(Float32Array.from(s.flat()), s[0]!.length);
        const biases = queryBankBiases(scores, { temperature: 0.1, rounds });
        for (const [j, bias] of slow(s, 0.1, rounds).entries()) expect(biases[j]).toBeCloseTo(bias, 5);
      }),
    );
  });

  it('keeps its digits where exp((s - max) / t) is 0 in float64: what is added to a column leaves its bias', () => {
    const scores = matrix(new Seeded(5).normal(6 * 4), 4);
    const shifts = [0, 4_000, -4_000, 12];
    const shifted = matrix(
      scores.data.map((value, at) => value + shifts[at % 4]!),
      4,
    );
    const [plain, biases] = [
      queryBankBiases(scores, { temperature: 1 }),
      queryBankBiases(shifted, { temperature: 1 }),
    ];
    const corrected = Array.from(biases, (bias, j) => bias + shifts[j]! - biases[0]!);
    for (const [j, bias] of plain.entries()) expect(corrected[j]).toBeCloseTo(bias - plain[0]!, 2);
    expect([...biases].every(Number.isFinite)).toBe(true);
  });

  it('lowers a hub: a row that is near to every query no longer comes first for those that have one of their own', () => {
    const hub = [0.9, 0.9, 0.9];
    const scores = matrix(Float32Array.from([hub, [0.85, 0, 0], [0, 0.85, 0], [0, 0, 0.85]].flat()), 3);
    const columns = Float32Array.from(
      { length: 12 },
      (_, at) => scores.data[(at % 4) * 3 + Math.floor(at / 4)]!,
    );
    const biases = queryBankBiases(matrix(columns, 4));
    for (let query = 0; query < 3; query++) {
      const corrected = Array.from(biases, (bias, row) => columns[query * 4 + row]! + bias);
      expect(corrected.indexOf(Math.max(...corrected))).toBe(query + 1);
    }
  });

  it('a bank of one query makes every row equally near to it, and one row has the bias 0', () => {
    const biases = queryBankBiases(matrix(Float32Array.of(0.5, -0.25, 0.125), 3));
    const corrected = [0.5 + biases[0]!, -0.25 + biases[1]!, 0.125 + biases[2]!];
    expect(Math.max(...corrected) - Math.min(...corrected)).toBeLessThan(1e-6);
    expect([...queryBankBiases(matrix(Float32Array.of(3, 4), 1))]).toEqual([0]);
  });

  it('exact search over rows with the biases finds score + bias', async () => {
    const random = new Seeded(3);
    const dimension = 9;
    const [bank, rows, queries] = [20, 50, 4].map((count) =>
      matrix(random.normal(count * dimension), dimension),
    );
    const biases = queryBankBiases(await similarityTile(bank!, rows!), { temperature: 0.5 });
    expect(new Set(biases).size).toBeGreaterThan(40);
    const index = new FlatIndex({ dimension });
    await index.add(rows!, { biases });
    const hits = await index.search(queries!, { k: 50 });
    for (let query = 0; query < 4; query++) {
      const q = matrixRow(queries!, query);
      const expected = Array.from(biases, (bias, row) => {
        const lanes = new Float64Array(8);
        for (const [d, value] of matrixRow(rows!, row).entries()) lanes[d % 8]! += q[d]! * value;
        const [a, b, c, d, e, f, g, h] = lanes as unknown as [
          number,
          number,
          number,
          number,
          number,
          number,
          number,
          number,
        ];
        return { row, score: Math.fround(a + b + (c + d) + (e + f + (g + h)) + bias) };
      }).sort((a, b) => b.score - a.score || a.row - b.row);
      expect([...hits.rows.subarray(query * 50, query * 50 + 50)]).toEqual(expected.map(({ row }) => row));
      expect([...hits.scores.subarray(query * 50, query * 50 + 50)]).toEqual(
        expected.map(({ score }) => score),
      );
    }
    index.dispose();
  });

  it.each([
    ['LENGTH_MISMATCH', matrix(new Float32Array(0), 3), {}],
    ['LENGTH_MISMATCH', { data: new Float32Array(5), rows: 2, columns: 3 }, {}],
    ['NOT_FINITE', matrix(Float32Array.of(1, Number.NEGATIVE_INFINITY), 2), {}],
    ['INVALID_ARGUMENT', { data: [1], rows: 1, columns: 1 }, {}],
    ['INVALID_ARGUMENT', matrix(Float32Array.of(1), 1), { rounds: 0 }],
    ['INVALID_ARGUMENT', matrix(Float32Array.of(1), 1), { iterations: 4 }],
    ['TEMPERATURE_INVALID', matrix(Float32Array.of(1), 1), { temperature: -1 }],
  ])('refuses with %s %j with %j', (code, scores, options) => {
    expect(() => queryBankBiases(scores as never, options as never)).toThrow(
      expect.objectContaining({ code }),
    );
  });
});
