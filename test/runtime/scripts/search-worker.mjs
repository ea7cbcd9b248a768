// A worker thread that builds an index and then searches or adds until it is terminated.
import { parentPort, workerData } from 'node:worker_threads';

const { FlatIndex, MultiVectorIndex } = await import(workerData.packageUrl);
const dimension = 64;
const rows = workerData.rows;
const data = new Float32Array(rows * dimension);
for (let i = 0; i < data.length; i++) data[i] = ((i * 2654435761) % 1000) / 1000;

if (workerData.task === 'result') {
  const index = new FlatIndex({ dimension });
  await index.add(data);
  const { rows: found, scores } = await index.search(data.subarray(0, 3 * dimension), { k: 20 });
  parentPort.postMessage({ rows: found, scores });
} else {
  const index = new FlatIndex({ dimension, threads: 2 });
  const documents = new MultiVectorIndex({ dimension, threads: 2 });
  await index.add(data);
  await documents.add(data, new Uint32Array(rows / 4).fill(4));
  parentPort.postMessage('busy');
  for (;;) {
    if (workerData.task === 'search') {
      await Promise.all([
        index.search(data.subarray(0, 33 * dimension), { k: 10, temperature: 0.1 }),
        documents.search(data.subarray(0, 8 * dimension), { k: 10, explain: true }),
      ]);
    } else {
      await Promise.all([
        new FlatIndex({ dimension, metric: 'cosine' }).add(data),
        new MultiVectorIndex({ dimension }).add(data, new Uint32Array(rows / 2).fill(2)),
      ]);
    }
  }
}
