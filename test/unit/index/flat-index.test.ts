import { describe, expect, it } from 'vitest';
import { FlatIndex, rowFilter } from '../../../src/index.js';

describe('FlatIndex', () => {
  it('finds the nearest rows, best first', async () => {
    const index = new FlatIndex({ dimension: 3 });
    expect(await index.add(Float32Array.of(1, 0, 0, 0, 1, 0))).toBe(0);
    expect(await index.add(Float32Array.of(0, 0, 1))).toBe(2);
    expect([index.rows, index.dimension, index.metric]).toEqual([3, 3, 'ip']);
    const hits = await index.search(Float32Array.of(0.5, 0.75, 0, 0, 0, -1), { k: 2 });
    expect(hits).toEqual({
      queries: 2,
      k: 2,
      rows: Uint32Array.of(1, 0, 0, 1),
      scores: Float32Array.of(0.75, 0.5, 0, 0),
      counts: Uint32Array.of(2, 2),
      // Three rows are too few for codes.
      certificate: {
        thresholds: Float32Array.of(Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY),
        rowsScanned: 3,
        rowsRescored: Uint32Array.of(3, 3),
      },
    });
  });

  it('int8 codes give the bits that a scan of the rows gives, and read few rows in full', async () => {
    const dimension = 64;
    const rows = 20_000;
    const values = new Float32Array(rows * dimension);
    let state = 1;
    for (let i = 0; i < values.length; i++) {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      values[i] = state / 2 ** 31 - 1;
    }
    const queries = values.subarray(0, 5 * dimension);
    for (const metric of ['ip', 'cosine', 'l2'] as const) {
      const coded = new FlatIndex({ dimension, metric });
      const plain = new FlatIndex({ dimension, metric, codes: 'none' });
      await Promise.all([coded.add(values), plain.add(values)]);
      const [a, b] = await Promise.all([coded.search(queries, { k: 10 }), plain.search(queries, { k: 10 })]);
      expect(a.rows).toEqual(b.rows);
      expect(new Uint32Array(a.scores.buffer)).toEqual(new Uint32Array(b.scores.buffer));
      expect(a.certificate.rowsScanned).toBe(rows);
      for (let q = 0; q < 5; q++) {
        expect(a.certificate.rowsRescored[q]).toBeLessThan(rows / 50);
        expect(a.certificate.thresholds[q]).toBeLessThanOrEqual(a.scores[q * 10 + 9]!);
      }
      expect([...b.certificate.rowsRescored]).toEqual(new Array(5).fill(rows));
    }
  });

  it('cosine ignores lengths; a zero vector scores 0', async () => {
    const index = new FlatIndex({ dimension: 2, metric: 'cosine' });
    await index.add(Float32Array.of(300, 400, 1e-30, 0, 0, 0));
    const { rows, scores } = await index.search(Float32Array.of(6, 8), { k: 3 });
    expect([...rows]).toEqual([0, 1, 2]);
    expect([...scores].map((score) => score.toFixed(6))).toEqual(['1.000000', '0.600000', '0.000000']);
  });

  it('l2 is minus the squared distance, 0 for the row itself', async () => {
    const index = new FlatIndex({ dimension: 2, metric: 'l2' });
    await index.add(Float32Array.of(1, 1, 4, 5));
    const { rows, scores } = await index.search(Float32Array.of(4, 5), { k: 2 });
    expect([...rows]).toEqual([1, 0]);
    expect([...scores]).toEqual([0, -25]);
  });

  it('gives probabilities when asked with a temperature', async () => {
    const index = new FlatIndex({ dimension: 1 });
    await index.add(Float32Array.of(0, Math.log(3)));
    const query = Float32Array.of(1);
    expect((await index.search(query, { k: 2 })).probabilities).toBeUndefined();
    const { probabilities } = await index.search(query, { k: 2, temperature: 1 });
    expect(probabilities![0]).toBeCloseTo(0.75, 6);
    expect(probabilities![1]).toBeCloseTo(0.25, 6);
  });

  it('gives the log-sum-exp over all rows and the share that the hits hold when asked', async () => {
    const index = new FlatIndex({ dimension: 1 });
    await index.add(Float32Array.of(0, Math.log(3), 0, 0));
    const query = Float32Array.of(1);
    const plain = await index.search(query, { k: 2, temperature: 1 });
    expect([plain.logSumExp, plain.massShare]).toEqual([undefined, undefined]);
    const hits = await index.search(query, { k: 2, temperature: 1, logSumExp: true });
    expect(hits.logSumExp![0]).toBeCloseTo(Math.log(6), 6);
    expect(hits.massShare![0]).toBeCloseTo(4 / 6, 6);
    expect(hits.probabilities).toEqual(plain.probabilities);
    const none = await index.search(query, {
      k: 2,
      temperature: 1,
      logSumExp: true,
      filter: rowFilter(4, []),
    });
    expect([none.logSumExp, none.massShare]).toEqual([
      Float64Array.of(Number.NEGATIVE_INFINITY),
      Float64Array.of(0),
    ]);
  });

  it('marks the places that a filter leaves unused', async () => {
    const index = new FlatIndex({ dimension: 1 });
    await index.add(Float32Array.of(1, 2, 3));
    const hits = await index.search(Float32Array.of(1), { k: 2, filter: rowFilter(3, [0]), temperature: 1 });
    expect(hits).toMatchObject({
      rows: Uint32Array.of(0, 0xffff_ffff),
      scores: Float32Array.of(1, Number.NEGATIVE_INFINITY),
      counts: Uint32Array.of(1),
      probabilities: Float32Array.of(1, 0),
    });
  });

  it('options that are undefined are as good as absent', async () => {
    const index = new FlatIndex({ dimension: 1, metric: undefined, threads: undefined, device: undefined });
    await index.add(Float32Array.of(1), { signal: undefined });
    const options = { k: 1, temperature: undefined, logSumExp: undefined, filter: undefined };
    expect((await index.search(Float32Array.of(2), options)).scores[0]).toBe(2);
  });
});
