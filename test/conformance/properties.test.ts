/** Laws that hold for every index, whatever its vectors. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FlatIndex, type Hits, type Metric, MultiVectorIndex, rowFilter } from '../../src/index.js';
import { expectBits } from './expect-bits.js';
import { Seeded } from './seeded.js';

const metric = fc.constantFrom<Metric>('ip', 'cosine', 'l2');

/** A small index and queries for it; ternary values tie often, normal ones hardly ever. */
const world = fc
  .record({
    metric,
    dimension: fc.integer({ min: 1, max: 24 }),
    rows: fc.integer({ min: 1, max: 120 }),
    queries: fc.integer({ min: 1, max: 9 }),
    threads: fc.integer({ min: 0, max: 4 }),
    seed: fc.integer({ min: 0, max: 2 ** 31 }),
    ties: fc.boolean(),
  })
  .map((given) => {
    const seeded = new Seeded(given.seed);
    const draw = (count: number) =>
      given.ties ? seeded.ternary(count * given.dimension) : seeded.normal(count * given.dimension);
    return { ...given, data: draw(given.rows), queryData: draw(given.queries), seeded };
  });

function expectSame(hits: Hits, query: number, other: Hits, otherQuery: number, places: number): void {
  const here = query * hits.k;
  const there = otherQuery * other.k;
  expect([...hits.rows.subarray(here, here + places)]).toEqual([
    ...other.rows.subarray(there, there + places),
  ]);
  expectBits(
    hits.scores.subarray(here, here + places),
    other.scores.subarray(there, there + places),
    `query ${query}`,
  );
}

describe('FlatIndex', () => {
  it('a batch gives what its queries give one by one', async () => {
    await fc.assert(
      fc.asyncProperty(world, async ({ metric, dimension, threads, rows, data, queries, queryData }) => {
        const index = new FlatIndex({ dimension, metric, threads });
        await index.add(data);
        const k = Math.min(rows, 10);
        const batch = await index.search(queryData, { k });
        for (let query = 0; query < queries; query++) {
          const one = queryData.subarray(query * dimension, (query + 1) * dimension);
          expectSame(batch, query, await index.search(one, { k }), 0, k);
        }
      }),
    );
  });

  it('the k best are the first k of the k + n best', async () => {
    await fc.assert(
      fc.asyncProperty(
        world,
        fc.nat(),
        async ({ metric, dimension, rows, data, queries, queryData }, pick) => {
          const index = new FlatIndex({ dimension, metric });
          await index.add(data);
          const k = 1 + (pick % rows);
          const [some, all] = await Promise.all([
            index.search(queryData, { k }),
            index.search(queryData, { k: rows }),
          ]);
          for (let query = 0; query < queries; query++) expectSame(some, query, all, query, k);
        },
      ),
    );
  });

  it('a filtered search is a search of the allowed rows alone', async () => {
    await fc.assert(
      fc.asyncProperty(world, async ({ metric, dimension, rows, data, queries, queryData, seeded }) => {
        const allowed = Array.from({ length: rows }, (_, row) => row).filter(() => seeded.integer(3) === 0);
        fc.pre(allowed.length > 0);
        const whole = new FlatIndex({ dimension, metric });
        await whole.add(data);
        const subset = new FlatIndex({ dimension, metric });
        for (const row of allowed) await subset.add(data.subarray(row * dimension, (row + 1) * dimension));
        const k = allowed.length;
        const filtered = await whole.search(queryData, { k, filter: rowFilter(rows, allowed) });
        const alone = await subset.search(queryData, { k });
        expectBits(filtered.scores, alone.scores, 'scores');
        expect([...filtered.rows]).toEqual([...alone.rows].map((row) => allowed[row]));
        expect([...filtered.counts]).toEqual(Array(queries).fill(k));
      }),
    );
  });

  it('how the rows were divided among adds does not matter', async () => {
    await fc.assert(
      fc.asyncProperty(
        world,
        fc.array(fc.integer({ min: 0, max: 50 })),
        async ({ metric, dimension, rows, data, queries, queryData }, sizes) => {
          const atOnce = new FlatIndex({ dimension, metric });
          await atOnce.add(data);
          const divided = new FlatIndex({ dimension, metric });
          let done = 0;
          for (const size of [...sizes, rows]) {
            const next = Math.min(rows, done + size);
            expect(await divided.add(data.subarray(done * dimension, next * dimension))).toBe(done);
            done = next;
          }
          const [a, b] = await Promise.all([
            atOnce.search(queryData, { k: rows }),
            divided.search(queryData, { k: rows }),
          ]);
          for (let query = 0; query < queries; query++) expectSame(a, query, b, query, rows);
        },
      ),
    );
  });
});

describe('MultiVectorIndex', () => {
  it('documents of one vector, asked with one vector, are a FlatIndex', async () => {
    await fc.assert(
      fc.asyncProperty(world, async ({ metric, dimension, rows, data, queries, queryData }) => {
        const flat = new FlatIndex({ dimension, metric });
        await flat.add(data);
        const multi = new MultiVectorIndex({ dimension, metric });
        await multi.add(data, new Uint32Array(rows).fill(1));
        const a = await flat.search(queryData, { k: rows });
        const b = await multi.search(queryData, { k: rows, lengths: new Uint32Array(queries).fill(1) });
        for (let query = 0; query < queries; query++) expectSame(a, query, b, query, rows);
      }),
    );
  });

  it('candidates are a filter, in whichever order and number', async () => {
    await fc.assert(
      fc.asyncProperty(world, async ({ metric, dimension, rows, data, queryData, seeded }) => {
        const multi = new MultiVectorIndex({ dimension, metric });
        await multi.add(data, new Uint32Array(rows).fill(1));
        const candidates = Uint32Array.from({ length: 1 + seeded.integer(40) }, () => seeded.integer(rows));
        const k = rows;
        const a = await multi.search(queryData, { k, candidates });
        const b = await multi.search(queryData, { k, filter: rowFilter(rows, candidates) });
        expect(a.rows).toEqual(b.rows);
        expect(a.counts).toEqual(b.counts);
        expectBits(a.scores, b.scores, 'scores');
      }),
    );
  });
});
