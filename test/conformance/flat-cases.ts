import { describe, expect, it } from 'vitest';
import { type Device, FlatIndex, type Metric } from '../../src/index.js';
import { expectHits } from './expect-bits.js';
import { flatSearches } from './oracle.js';
import { Seeded } from './seeded.js';
import type { Scope } from './suite.js';

const BATCHES = [1, 2, 3, 5, 33];

interface Case {
  metric: Metric;
  dimension: number;
  rows: Float32Array;
  queries: Float32Array;
  k: number;
  threads?: number;
  filter?: Uint8Array;
  temperature?: number;
  /** Rows of each add; all at once by default. */
  adds?: readonly number[];
}

/** Runs one case through the engine and through the oracle. */
async function checkOn(device: Device, what: string, given: Case): Promise<void> {
  const { metric, dimension, rows, queries, k, filter, temperature, threads = 0 } = given;
  const index = new FlatIndex({ dimension, metric, threads, device });
  let first = 0;
  for (const count of given.adds ?? [rows.length / dimension]) {
    const added = await index.add(rows.subarray(first * dimension, (first + count) * dimension));
    expect(added, `${what}: first row`).toBe(first);
    first += count;
  }
  expect(index.rows, what).toBe(rows.length / dimension);
  const expected = flatSearches(metric, rows, queries, dimension, k, filter);
  expectHits(await index.search(queries, { k, filter, temperature }), expected, what, temperature);
  index.dispose();
}

/** Values whose products and sums leave the range of float32, vanish below it, or cancel. */
const EXTREMES = [
  0,
  -0,
  1,
  -1,
  1e30,
  -1e30,
  3.4028234663852886e38,
  -3.4028234663852886e38,
  1e-30,
  -1e-30,
  1.1754943508222875e-38,
  1.401298464324817e-45,
  -1.401298464324817e-45,
  1e-42,
  16_777_216,
  16_777_217,
  0.1,
  1 / 3,
];

export function flatCases({ device, metrics, dimensions, threadCounts, large }: Scope): void {
  const check = (what: string, given: Case) => checkOn(device, what, given);

  describe.each(metrics)('%s', (metric) => {
    it.each(dimensions)('dimension %i, any number of rows and queries', async (dimension) => {
      const seeded = new Seeded(dimension);
      for (const batch of BATCHES) {
        const rowCount = 1 + seeded.integer(70);
        const rows = seeded.normal(rowCount * dimension);
        const queries = seeded.normal(batch * dimension);
        for (const k of new Set([1, rowCount])) {
          await check(`${rowCount} rows, ${batch} queries, k ${k}`, { metric, dimension, rows, queries, k });
        }
      }
    });

    it.each(dimensions)('dimension %i, values at the ends of float32', async (dimension) => {
      const seeded = new Seeded(1_000 + dimension);
      for (const batch of [1, 5]) {
        const rowCount = 1 + seeded.integer(70);
        await check('extremes', {
          metric,
          dimension,
          rows: seeded.from(EXTREMES, rowCount * dimension),
          queries: seeded.from(EXTREMES, batch * dimension),
          k: rowCount,
          temperature: 0.5,
        });
      }
    });

    it('every number of rows from 1 to 70', async () => {
      const seeded = new Seeded(7);
      for (let rowCount = 1; rowCount <= 70; rowCount++) {
        const dimension = 1 + seeded.integer(40);
        await check(`${rowCount} rows of ${dimension}`, {
          metric,
          dimension,
          rows: seeded.normal(rowCount * dimension),
          queries: seeded.normal(seeded.pick(BATCHES) * dimension),
          k: 1 + seeded.integer(rowCount),
        });
      }
    });

    it('ties are broken by the lower row: ternary values, duplicates, equal rows, zeros', async () => {
      const seeded = new Seeded(11);
      for (const dimension of [1, 3, 8, 17]) {
        const rows = seeded.ternary(300 * dimension);
        rows.copyWithin(100 * dimension, 0, 50 * dimension);
        const queries = seeded.ternary(5 * dimension);
        for (const k of [1, 10, 299, 300]) {
          await check(`ternary, k ${k}`, { metric, dimension, rows, queries, k, threads: 3 });
        }
        const one = seeded.normal(dimension);
        const equal = new Float32Array(64 * dimension).map((_, i) => one[i % dimension]!);
        await check('all rows equal', { metric, dimension, rows: equal, queries, k: 40 });
        await check('zero rows', {
          metric,
          dimension,
          rows: new Float32Array(64 * dimension),
          queries,
          k: 40,
        });
        await check('negative zero rows', {
          metric,
          dimension,
          rows: new Float32Array(64 * dimension).fill(-0),
          queries,
          k: 64,
        });
        await check('zero query', {
          metric,
          dimension,
          rows,
          queries: new Float32Array(dimension),
          k: 40,
          temperature: 1,
        });
      }
    });

    it(`3,000 rows give the same bits on ${threadCounts} threads`, async () => {
      const seeded = new Seeded(13);
      const dimension = 65;
      const rows = seeded.normal(3_000 * dimension);
      const queries = seeded.normal(33 * dimension);
      for (const threads of threadCounts) {
        await check(`${threads} threads`, {
          metric,
          dimension,
          rows,
          queries: threads === 2 ? queries : queries.subarray(0, dimension),
          k: 100,
          threads,
          temperature: 0.05,
        });
      }
    });

    it('4,099 dimensions, a dimension that outweighs the others, clusters, and norms from 1e-30 to 1e30', async () => {
      const seeded = new Seeded(37);
      const wide = 4_099;
      const wideRows = seeded.normal(90 * wide);
      await check('wide', {
        metric,
        dimension: wide,
        rows: wideRows,
        queries: seeded.normal(2 * wide),
        k: 7,
      });

      const dimension = 24;
      const queries = seeded.normal(3 * dimension);
      const outweighed = seeded.normal(400 * dimension);
      for (let i = 5; i < outweighed.length; i += dimension) outweighed[i]! *= 1e6;
      await check('one dimension outweighs', { metric, dimension, rows: outweighed, queries, k: 9 });

      const centres = seeded.normal(4 * dimension);
      const noise = seeded.normal(600 * dimension);
      const clustered = noise.map(
        (value, i) => centres[(Math.floor(i / dimension) % 4) * dimension + (i % dimension)]! + 1e-3 * value,
      );
      await check('clusters', { metric, dimension, rows: clustered, queries: centres, k: 100 });

      const norms = seeded.normal(400 * dimension);
      for (let row = 0; row < 400; row++) {
        const norm = 10 ** (seeded.integer(61) - 30);
        for (let i = 0; i < dimension; i++) norms[row * dimension + i]! *= norm;
      }
      await check('norms', { metric, dimension, rows: norms, queries, k: 50 });
      for (const threads of threadCounts) {
        await check(`norms, batch of 70, ${threads} threads`, {
          metric,
          dimension,
          rows: norms,
          queries: seeded.normal(70 * dimension),
          k: 3,
          threads,
        });
      }
    });

    it('a filter leaves the allowed rows and no others', async () => {
      const seeded = new Seeded(17);
      const dimension = 9;
      for (const rowCount of [1, 7, 8, 9, 64, 65, 333]) {
        const rows = seeded.ternary(rowCount * dimension);
        const queries = seeded.ternary(3 * dimension);
        const bytes = Math.ceil(rowCount / 8);
        const filters = {
          none: new Uint8Array(bytes),
          // The bits behind the last row are set as well, and must not count.
          all: new Uint8Array(bytes).fill(0xff),
          some: Uint8Array.from({ length: bytes }, () => seeded.next()),
          few: Uint8Array.from({ length: bytes }, () =>
            seeded.integer(8) === 0 ? 1 << seeded.integer(8) : 0,
          ),
        };
        for (const [name, filter] of Object.entries(filters)) {
          const k = 1 + seeded.integer(rowCount);
          await check(`${rowCount} rows, filter ${name}`, {
            metric,
            dimension,
            rows,
            queries,
            k,
            filter,
            temperature: 0.1,
          });
        }
      }
    });

    it.runIf(large).each([1, 2, 3, 4])(
      'dimension %i, 70,003 rows in adds of odd sizes',
      async (dimension) => {
        const seeded = new Seeded(19 + dimension);
        const adds = [1, 16_383, 1, 32_769, 5, 20_000, 844];
        const rowCount = adds.reduce((a, b) => a + b);
        const rows = seeded.normal(rowCount * dimension);
        await check('adds', { metric, dimension, rows, queries: seeded.normal(2 * dimension), k: 50, adds });
      },
    );
  });
}
