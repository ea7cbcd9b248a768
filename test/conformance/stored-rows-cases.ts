import { describe, expect, it } from 'vitest';
import { type Dtype, FlatIndex, type Metric, MultiVectorIndex, rowFilter } from '../../src/index.js';
import { expectHits } from './expect-bits.js';
import { best, innerProduct, isAllowed, maxSim, normalised, rowOf } from './oracle.js';
import { Seeded } from './seeded.js';
import type { Scope } from './suite.js';

/** Bits of the fraction, and the exponent of the least normal number. */
const FORMATS = { f32: [23, -126], f16: [10, -14], bf16: [7, -126] } as const;

/** The nearest number of the dtype, ties to even, in float64 arithmetic, which is exact here. */
function rounded(value: number, dtype: Dtype): number {
  const [fractionBits, leastExponent] = FORMATS[dtype];
  if (value === 0) return value;
  const exponent = Math.max(Math.floor(Math.log2(Math.abs(value))), leastExponent);
  const steps = value / 2 ** (exponent - fractionBits);
  const below = Math.floor(steps);
  const rest = steps - below;
  const nearest = rest > 0.5 || (rest === 0.5 && below % 2 !== 0) ? below + 1 : below;
  return nearest * 2 ** (exponent - fractionBits);
}

/** A vector as an index keeps it. */
function kept(metric: Metric, dtype: Dtype, x: Float32Array): Float32Array {
  return (metric === 'cosine' ? normalised(x) : x).map((value) => rounded(value, dtype));
}

function score(metric: Metric, q: Float32Array, x: Float32Array, bias: number): number {
  const query = metric === 'cosine' ? normalised(q) : q;
  const dot = innerProduct(query, x);
  return Math.fround(
    (metric === 'l2' ? 2 * dot - innerProduct(x, x) - innerProduct(query, query) : dot) + bias,
  );
}

export function storedRowsCases({ device, metrics }: Scope): void {
  describe.each(metrics)('%s', (metric) => {
    it.each(['f32', 'f16', 'bf16'] as const)('%s with biases, removed rows and a filter', async (dtype) => {
      const seeded = new Seeded(23);
      for (const dimension of [1, 3, 16, 33, 129]) {
        const count = 300 + seeded.integer(100);
        const rows = seeded.normal(count * dimension);
        const biases = seeded.normal(count);
        const queries = seeded.normal(3 * dimension);
        const index = new FlatIndex({ dimension, metric, dtype, device });
        await index.add(rows, { biases });
        const gone = Uint32Array.from({ length: 60 }, () => seeded.integer(count));
        expect(await index.remove(gone)).toBe(new Set(gone).size);
        expect(index.removedRows).toBe(new Set(gone).size);
        const filter = Uint8Array.from({ length: Math.ceil(count / 8) }, () => seeded.next());
        const left = Array.from({ length: count }, (_, row) => row).filter((row) => !gone.includes(row));
        const stored = left.map((row) => kept(metric, dtype, rowOf(rows, row, dimension)));
        const scored = Array.from({ length: 3 }, (_, q) => {
          const query = rowOf(queries, q, dimension);
          return left.map((row, place) => ({
            row,
            score: score(metric, query, stored[place]!, biases[row]!),
          }));
        });
        const expected = (allowed: Uint8Array | undefined, k: number, number: (row: number) => number) =>
          scored.map((all) =>
            best(
              all
                .filter(({ row }) => isAllowed(allowed, row))
                .map(({ row, score: own }) => ({ row: number(row), score: own })),
              k,
            ),
          );
        const what = `${dtype}, dimension ${dimension}`;
        expectHits(await index.search(queries, { k: 10 }), expected(undefined, 10, Number), what);
        expectHits(
          await index.search(queries, { k: 10, filter }),
          expected(filter, 10, Number),
          `${what}, filter`,
        );
        expectHits(
          await index.search(queries, { k: count }),
          expected(undefined, count, Number),
          `${what}, all`,
        );
        expect(await index.compact()).toEqual(Uint32Array.from(left));
        expect(index.rows).toBe(left.length);
        expect(index.removedRows).toBe(0);
        const moved = (row: number) => left.indexOf(row);
        expectHits(
          await index.search(queries, { k: 10 }),
          expected(undefined, 10, moved),
          `${what}, compacted`,
        );
        index.dispose();
      }
    });
  });

  it.each(['f32', 'f16', 'bf16'] as const)('documents of %s with biases and removed ones', async (dtype) => {
    const seeded = new Seeded(29);
    const dimension = 16;
    const lengths = Uint32Array.from({ length: 80 }, () => 1 + seeded.integer(20));
    const vectors = lengths.reduce((a, b) => a + b, 0);
    const rows = seeded.normal(vectors * dimension);
    const biases = seeded.normal(lengths.length);
    const query = seeded.normal(4 * dimension);
    const index = new MultiVectorIndex({ dimension, metric: 'ip', dtype, device });
    await index.add(rows, lengths, { biases });
    expect(index.biased).toBe(true);
    const gone = Uint32Array.of(0, 5, 79);
    await index.remove(gone);
    const filter = rowFilter(
      80,
      Array.from({ length: 60 }, (_, i) => i),
    );
    const queryVectors = Array.from({ length: 4 }, (_, i) => rowOf(query, i, dimension));
    let start = 0;
    const scored = [...lengths].map((length, document) => {
      const own = Array.from({ length }, (_, j) => kept('ip', dtype, rowOf(rows, start + j, dimension)));
      start += length;
      const { similarities } = maxSim('ip', queryVectors, own);
      const sum = similarities.reduce((a, b) => a + b, 0);
      return { row: document, score: Math.fround(sum + biases[document]!) };
    });
    const left = scored.filter(({ row }) => !gone.includes(row));
    expectHits(await index.search(query, { k: 9 }), [best(left, 9)], dtype);
    expectHits(
      await index.search(query, { k: 9, filter }),
      [
        best(
          left.filter(({ row }) => row < 60),
          9,
        ),
      ],
      `${dtype}, filter`,
    );
    const former = await index.compact();
    expect(former.length).toBe(77);
    const moved = left.map(({ row, score: s }) => ({ row: former.indexOf(row), score: s }));
    expectHits(await index.search(query, { k: 9 }), [best(moved, 9)], `${dtype}, compacted`);
  });
}
