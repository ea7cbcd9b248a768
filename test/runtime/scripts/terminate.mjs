// Terminates worker threads in the middle of searches or adds: terminate.mjs <package> <search|add> <times>
import { Worker } from 'node:worker_threads';

const [packageUrl, task, times] = process.argv.slice(2);
const { FlatIndex } = await import(packageUrl);
const latencies = [];
for (let i = 0; i < Number(times); i++) {
  const worker = new Worker(new URL('search-worker.mjs', import.meta.url), {
    workerData: { packageUrl, task, rows: 20_000 },
  });
  await new Promise((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
  });
  await new Promise((resolve) => setTimeout(resolve, i));
  const begin = performance.now();
  await worker.terminate();
  latencies.push(performance.now() - begin);
}
// The addon of this thread is untouched.
const index = new FlatIndex({ dimension: 2 });
await index.add(Float32Array.of(1, 0, 0, 1));
const hits = await index.search(Float32Array.of(0, 1), { k: 1 });
console.log(JSON.stringify({ latencies, best: hits.rows[0] }));
