import { describe, expect, it } from 'vitest';
import { FlatIndex, type Hits, MultiVectorIndex, rowFilter } from '../../src/index.js';
import { expectHits } from '../conformance/expect-bits.js';
import { flatSearch } from '../conformance/oracle.js';
import { Seeded } from '../conformance/seeded.js';

const dimension = 8;

describe('adds and searches at the same time', () => {
  it('a search sees whole adds: all that had settled when it was called, and perhaps the next', async () => {
    const seeded = new Seeded(1);
    const index = new FlatIndex({ dimension, threads: 2 });
    const data = seeded.normal(3_000 * dimension);
    const query = seeded.normal(dimension);
    const borders = [0];
    const adds: Promise<void>[] = [];
    const searches: { settled: number; hits: Promise<Hits> }[] = [];
    while (borders.at(-1)! < 3_000) {
      const first = borders.at(-1)!;
      const next = Math.min(first + 1 + seeded.integer(200), 3_000);
      borders.push(next);
      const chunk = data.subarray(first * dimension, next * dimension);
      adds.push(index.add(chunk).then((number) => expect(number).toBe(first)));
      await (seeded.integer(2) === 0 ? new Promise((resolve) => setImmediate(resolve)) : adds.at(-4));
      const settled = index.rows;
      expect(borders).toContain(settled);
      if (settled > 0) searches.push({ settled, hits: index.search(query, { k: Math.min(settled, 20) }) });
    }
    await Promise.all(adds);
    expect(index.rows).toBe(3_000);
    expect(searches.length).toBeGreaterThan(5);
    for (const { settled, hits } of searches) {
      const found = await hits;
      const possible = borders
        .filter((border) => border >= settled)
        .map((border) => flatSearch('ip', data.subarray(0, border * dimension), query, found.k).rows.join());
      expect(possible, `${settled} rows`).toContain([...found.rows].join());
    }
  });

  it('a filter of the size of index.rows fits in the same turn, whatever the workers have just added', async () => {
    const index = new FlatIndex({ dimension: 1 });
    await index.add(new Float32Array(9));
    for (let i = 0; i < 50; i++) {
      const add = index.add(new Float32Array(8));
      await new Promise((resolve) => setImmediate(resolve));
      const filter = rowFilter(index.rows, [3]);
      const until = performance.now() + 0.5;
      while (performance.now() < until);
      expect((await index.search(new Float32Array(1), { k: 1, filter })).rows[0]).toBe(3);
      await add;
    }
  });

  it('many searches at once give what they give alone', async () => {
    const seeded = new Seeded(2);
    const index = new FlatIndex({ dimension, metric: 'cosine' });
    const data = seeded.ternary(2_000 * dimension);
    await index.add(data);
    const queries = Array.from({ length: 60 }, () => seeded.ternary(dimension));
    const all = await Promise.all(queries.map((query) => index.search(query, { k: 30 })));
    for (const [i, hits] of all.entries()) {
      expectHits(hits, [flatSearch('cosine', data, queries[i]!, 30)], `query ${i}`);
    }
  });

  it('one bad add among good ones loses no other row', async () => {
    const index = new MultiVectorIndex({ dimension: 1 });
    const good = () => index.add(Float32Array.of(1, 2), Uint32Array.of(2));
    const results = await Promise.allSettled([
      good(),
      index.add(Float32Array.of(1, Number.NaN), Uint32Array.of(2)),
      good(),
      index.add(Float32Array.of(1), Uint32Array.of(0)),
      good(),
    ]);
    expect(
      results.map((result) => (result.status === 'fulfilled' ? result.value : result.reason.code)),
    ).toEqual([0, 'NOT_FINITE', 1, 'EMPTY_DOCUMENT', 2]);
    expect(index.rows).toBe(3);
  });

  it('dispose: adds under way and queued are refused, searches under way end as they would have', async () => {
    const seeded = new Seeded(3);
    const index = new FlatIndex({ dimension, threads: 1 });
    const data = seeded.normal(100_000 * dimension);
    await index.add(data);
    const query = seeded.normal(33 * dimension);
    const search = index.search(query, { k: 5 });
    const adds = Promise.allSettled([index.add(data), index.add(data), index.add(data)]);
    index.dispose();
    expect((await search).counts).toEqual(new Uint32Array(33).fill(5));
    for (const result of await adds) {
      expect(result).toMatchObject({ status: 'rejected', reason: { code: 'INDEX_DISPOSED' } });
    }
  });

  it('adding no rows resolves to the number that the next row gets, in its turn', async () => {
    const index = new FlatIndex({ dimension: 2 });
    const adds = [
      index.add(new Float32Array(0)),
      index.add(new Float32Array(6)),
      index.add(new Float32Array(0)),
      index.add(new Float32Array(2)),
    ];
    expect(await Promise.all(adds)).toEqual([0, 0, 3, 3]);
    const documents = new MultiVectorIndex({ dimension: 2 });
    await documents.add(new Float32Array(6), Uint32Array.of(3));
    expect(await documents.add(new Float32Array(0), new Uint32Array(0))).toBe(1);
  });
});
