// How long the event loop is held while a big matrix is added, searched and scored: event-loop.mjs <package>
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';

const { FlatIndex, MultiVectorIndex, topKSoftmax } = await import(process.argv[2]);
const { scoreDocuments, similarityTile } = await import(
  new URL('granularity/index.js', process.argv[2]).href
);
const folder = mkdtempSync(join(tmpdir(), 'granule-event-loop-'));
const dimension = 128;
const rows = 200_000;
const data = new Float32Array(rows * dimension);
for (let i = 0; i < data.length; i++) data[i] = ((i * 40503) % 997) / 997;

/** Milliseconds that the call itself took before it gave a promise, and the longest turn of the loop until it settled. */
async function measureOnce(call) {
  await new Promise((resolve) => setTimeout(resolve, 20));
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  await new Promise((resolve) => setTimeout(resolve, 20));
  delay.reset();
  const begin = performance.now();
  const promise = call();
  const held = performance.now() - begin;
  await promise;
  const whole = performance.now() - begin;
  await new Promise((resolve) => setTimeout(resolve, 5));
  delay.disable();
  return { held, longestTurn: delay.max / 1e6, whole };
}

/** Runs at most, and the milliseconds that need no further one. */
const MOST_RUNS = 8;
const SHORT = 5;

/** The least of some runs: what the system takes away from this thread is not the engine's doing. */
async function measure(call) {
  const runs = [];
  const least = (key) => Math.min(...runs.map((run) => run[key]));
  do runs.push(await measureOnce(call));
  while (runs.length < MOST_RUNS && (least('held') > SHORT || least('longestTurn') > SHORT));
  return { held: least('held'), longestTurn: least('longestTurn'), whole: least('whole') };
}

// One thread, so that the machine is not busy with the scan alone; threads of the engine are not the event loop's.
let index = new FlatIndex({ dimension, threads: 1 });
let documents = new MultiVectorIndex({ dimension, threads: 1 });
const lengths = new Uint32Array(rows / 8).fill(8);
const queries = data.subarray(0, 32 * dimension);
const result = {};
result['add 200,000 x 128'] = await measure(() => {
  index.dispose();
  index = new FlatIndex({ dimension, threads: 1 });
  return index.add(data);
});
result['search 32 queries, k 100'] = await measure(() => index.search(queries, { k: 100, temperature: 0.1 }));
result['add 25,000 documents of 8'] = await measure(() => {
  documents.dispose();
  documents = new MultiVectorIndex({ dimension, threads: 1 });
  return documents.add(data, lengths);
});
result['MaxSim of 32 vectors'] = await measure(() => documents.search(queries, { k: 100, explain: true }));
const few = { data: queries.subarray(0, 8 * dimension), rows: 8, columns: dimension };
const pages = { data, lengths, columns: dimension };
result['flair of 25,000 documents of 8'] = await measure(() =>
  scoreDocuments(few, pages, 'flair', { threads: 1 }),
);
const all = { data, rows, columns: dimension };
result['tile of 8 x 200,000'] = await measure(() => similarityTile(few, all, { threads: 1 }));
result['softmax of 10,000,000 scores'] = await measure(() => topKSoftmax(data.subarray(0, 1e7), { k: 100 }));
await index.remove(Uint32Array.of(1));
let saves = 0;
result.save = await measure(() => index.save(join(folder, `${saves++}`)));
for (const mmap of [false, true]) {
  let opened;
  result[mmap ? 'open mapped' : 'open'] = await measure(async () => {
    opened?.dispose();
    opened = await FlatIndex.open(join(folder, '0'), { mmap, threads: 1 });
  });
  opened.dispose();
}
rmSync(folder, { recursive: true });
result.dispose = await measure(async () => index.dispose());
console.log(JSON.stringify(result));
