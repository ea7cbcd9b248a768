/** Laws of the log-sum-exp over all rows, whatever the vectors. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FlatIndex, MultiVectorIndex, rowFilter } from '../../src/index.js';
import { Seeded } from './seeded.js';

const world = fc.record({
  dimension: fc.integer({ min: 1, max: 12 }),
  rows: fc.integer({ min: 2, max: 90 }),
  queries: fc.integer({ min: 1, max: 5 }),
  temperature: fc.constantFrom(0.01, 0.2, 1, 30),
  seed: fc.integer({ min: 0, max: 2 ** 31 }),
});

async function indexOf(dimension: number, data: Float32Array, biases?: Float32Array): Promise<FlatIndex> {
  const index = new FlatIndex({ dimension });
  await index.add(data, { biases });
  return index;
}

describe('logSumExp and massShare', () => {
  it('parts of the rows have shares of the whole that add up to 1', async () => {
    await fc.assert(
      fc.asyncProperty(world, async ({ dimension, rows, queries, temperature, seed }) => {
        const seeded = new Seeded(seed);
        const index = await indexOf(dimension, seeded.normal(rows * dimension));
        const query = seeded.normal(queries * dimension);
        const parts = Array.from({ length: 3 }, () => [] as number[]);
        for (let row = 0; row < rows; row++) seeded.pick(parts).push(row);
        const options = { k: 1, temperature, logSumExp: true };
        const whole = await index.search(query, options);
        const some = await Promise.all(
          parts.map((part) => index.search(query, { ...options, filter: rowFilter(rows, part) })),
        );
        for (let q = 0; q < queries; q++) {
          const all = whole.logSumExp![q]!;
          const sum = some.reduce((total, { logSumExp }) => total + Math.exp(logSumExp![q]! - all), 0);
          // L is rounded to a unit in its last place, and exp turns that into as much of its result.
          expect(Math.abs(sum - 1)).toBeLessThan(1e-15 * (10 + 4 * Math.abs(all)));
        }
      }),
      { numRuns: 40 },
    );
  });

  it('a share lies above 0 and at most at 1, grows with k, and is 1 for all rows; L lies from m / t to m / t + ln rows', async () => {
    await fc.assert(
      fc.asyncProperty(world, async ({ dimension, rows, queries, temperature, seed }) => {
        const seeded = new Seeded(seed);
        const index = await indexOf(dimension, seeded.ternary(rows * dimension));
        const query = seeded.ternary(queries * dimension);
        const ks = [1, 1 + seeded.integer(rows), rows].sort((a, b) => a - b);
        const found = await Promise.all(
          ks.map((k) => index.search(query, { k, temperature, logSumExp: true })),
        );
        for (let q = 0; q < queries; q++) {
          const shares = found.map(({ massShare }) => massShare![q]!);
          expect(shares[0]).toBeGreaterThan(0);
          expect(shares).toEqual([...shares].sort((a, b) => a - b));
          expect(shares.at(-1)).toBe(1);
          const L = found[0]!.logSumExp![q]!;
          expect(found.map(({ logSumExp }) => logSumExp![q])).toEqual([L, L, L]);
          const least = found[0]!.scores[q]! / temperature;
          expect(L).toBeGreaterThanOrEqual(least);
          expect(L).toBeLessThanOrEqual(least + Math.log(rows) + 1e-14 * (1 + Math.abs(least)));
        }
      }),
      { numRuns: 40 },
    );
  });

  it('a bias of all rows moves L by bias / t, and the shares not by a bit', async () => {
    await fc.assert(
      fc.asyncProperty(
        world,
        fc.integer({ min: -9, max: 9 }),
        async ({ dimension, rows, queries, temperature, seed }, bias) => {
          const seeded = new Seeded(seed);
          // Integers, so that scores are exact with and without the bias.
          const data = seeded.ternary(rows * dimension);
          const query = seeded.ternary(queries * dimension);
          const options = { k: 1 + seeded.integer(rows), temperature, logSumExp: true };
          const plain = await (await indexOf(dimension, data)).search(query, options);
          const moved = await (await indexOf(dimension, data, new Float32Array(rows).fill(bias))).search(
            query,
            options,
          );
          expect(moved.massShare).toEqual(plain.massShare);
          for (let q = 0; q < queries; q++) {
            const expected = plain.logSumExp![q]! + bias / temperature;
            expect(Math.abs(moved.logSumExp![q]! - expected)).toBeLessThan(1e-12 * (1 + Math.abs(expected)));
          }
        },
      ),
      { numRuns: 40 },
    );
  });

  it('a batch, rows that are removed, and documents of one vector give what single queries, a filter and rows give', async () => {
    await fc.assert(
      fc.asyncProperty(world, async ({ dimension, rows, queries, temperature, seed }) => {
        const seeded = new Seeded(seed);
        const data = seeded.normal(rows * dimension);
        const query = seeded.normal(queries * dimension);
        const options = { k: 1 + seeded.integer(rows), temperature, logSumExp: true };
        const flat = await indexOf(dimension, data);
        const documents = new MultiVectorIndex({ dimension });
        await documents.add(data, new Uint32Array(rows).fill(1));
        const gone = seeded.integer(rows);
        const kept = rowFilter(
          rows,
          [...Array(rows).keys()].filter((row) => row !== gone),
        );
        const filtered = await flat.search(query, { ...options, filter: kept });
        await Promise.all([flat.remove(Uint32Array.of(gone)), documents.remove(Uint32Array.of(gone))]);
        const batch = await flat.search(query, options);
        const asDocuments = await documents.search(query, {
          ...options,
          lengths: new Uint32Array(queries).fill(1),
        });
        for (const other of [filtered, asDocuments]) {
          expect(other.logSumExp).toEqual(batch.logSumExp);
          expect(other.massShare).toEqual(batch.massShare);
        }
        for (let q = 0; q < queries; q++) {
          const one = await flat.search(query.subarray(q * dimension, (q + 1) * dimension), options);
          expect([one.logSumExp![0], one.massShare![0]]).toEqual([batch.logSumExp![q], batch.massShare![q]]);
        }
      }),
      { numRuns: 40 },
    );
  });
});
