import { getEventListeners } from 'node:events';
import { describe, expect, it } from 'vitest';
import { scoreDocuments, similarityTile } from '../../src/granularity/index.js';
import { FlatIndex, MultiVectorIndex } from '../../src/index.js';
import { matrix } from '../../src/vectors/matrix.js';

const dimension = 128;
const rows = 100_000;
const data = Float32Array.from({ length: rows * dimension }, (_, i) => ((i * 40503) % 997) / 997 - 0.5);
const queries = data.subarray(0, 384 * dimension);

async function milliseconds(run: () => Promise<unknown>): Promise<number> {
  const begin = performance.now();
  await run();
  return performance.now() - begin;
}

/** Aborts at the next turn of the event loop; answers with the time from the abort to the rejection. */
async function abortLatency(run: (signal: AbortSignal) => Promise<unknown>): Promise<number> {
  const controller = new AbortController();
  const reason = new Error('the user left');
  const running = run(controller.signal);
  let aborted = 0;
  setImmediate(() => {
    aborted = performance.now();
    controller.abort(reason);
  });
  await expect(running).rejects.toMatchObject({ code: 'ABORTED', cause: reason });
  expect(getEventListeners(controller.signal, 'abort')).toHaveLength(0);
  return performance.now() - aborted;
}

describe('an AbortSignal', () => {
  it('stops a search: the scan ends long before it would have', async () => {
    const index = new FlatIndex({ dimension });
    await index.add(data);
    const whole = await milliseconds(() => index.search(queries, { k: 10 }));
    const latency = await abortLatency((signal) => index.search(queries, { k: 10, signal }));
    console.log(
      `flat: whole search ${whole.toFixed(0)} ms, stopped ${latency.toFixed(1)} ms after the abort`,
    );
    expect(latency).toBeLessThan(whole / 2);
    // The threads are free again: what follows waits for nothing.
    expect(await milliseconds(() => index.search(queries.subarray(0, dimension), { k: 10 }))).toBeLessThan(
      whole,
    );
  });

  it('stops a MaxSim search', async () => {
    const index = new MultiVectorIndex({ dimension });
    await index.add(data, new Uint32Array(rows / 10).fill(10));
    // So long a query that the turns in which other processes hold the cores do not count.
    const long = data.subarray(0, 3072 * dimension);
    const whole = await milliseconds(() => index.search(long, { k: 10 }));
    const latency = await abortLatency((signal) => index.search(long, { k: 10, signal }));
    console.log(
      `MaxSim: whole search ${whole.toFixed(0)} ms, stopped ${latency.toFixed(1)} ms after the abort`,
    );
    expect(latency).toBeLessThan(whole / 2);
  });

  it('stops an add, of which nothing stays, and the next add takes its number', async () => {
    const index = new FlatIndex({ dimension, metric: 'cosine', threads: 1 });
    await index.add(data.subarray(0, 7 * dimension));
    const { bytes } = index;
    const whole = await milliseconds(() =>
      new FlatIndex({ dimension, metric: 'cosine', threads: 1 }).add(data),
    );
    const latency = await abortLatency((signal) => index.add(data, { signal }));
    console.log(`add: whole ${whole.toFixed(0)} ms, stopped ${latency.toFixed(1)} ms after the abort`);
    expect(latency).toBeLessThan(Math.max(whole, 50));
    expect([index.rows, index.bytes]).toEqual([7, bytes]);
    expect(await index.add(data.subarray(0, dimension))).toBe(7);
  });

  it('stops the scoring of documents, of one long document and a tile', async () => {
    const query = matrix(queries.subarray(0, 128 * dimension), dimension);
    const half = data.subarray(0, (rows / 2) * dimension);
    const scoring = (lengths: Uint32Array) => (signal?: AbortSignal) =>
      scoreDocuments(query, { data: half, lengths, columns: dimension }, 'pacl', { threads: 1, signal });
    const calls = {
      'many documents': scoring(new Uint32Array(rows / 20).fill(10)),
      'one document': scoring(Uint32Array.of(rows / 2)),
      'a tile': (signal?: AbortSignal) =>
        similarityTile(query, matrix(half, dimension), { threads: 1, signal }),
    };
    for (const [what, call] of Object.entries(calls)) {
      const whole = await milliseconds(() => call());
      const latency = await abortLatency(call);
      console.log(`${what}: whole ${whole.toFixed(0)} ms, stopped ${latency.toFixed(1)} ms after the abort`);
      expect(latency, what).toBeLessThan(whole / 2);
    }
  });

  it('that fires after the search has settled changes nothing', async () => {
    const index = new FlatIndex({ dimension });
    await index.add(data.subarray(0, 10 * dimension));
    const controller = new AbortController();
    const search = () => index.search(queries.subarray(0, dimension), { k: 10, signal: controller.signal });
    const hits = await search();
    controller.abort();
    expect(hits.counts[0]).toBe(10);
    await expect(search()).rejects.toMatchObject({ code: 'ABORTED' });
  });
});
