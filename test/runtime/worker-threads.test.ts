import { Worker } from 'node:worker_threads';
import { beforeAll, describe, expect, it } from 'vitest';
import { FlatIndex } from '../../src/index.js';
import { buildPackage, runScript } from './built-package.js';

let packageUrl = '';
beforeAll(async () => {
  packageUrl = await buildPackage('worker-threads');
}, 120_000);

function resultInWorker(rows: number): Promise<{ rows: Uint32Array; scores: Float32Array }> {
  const worker = new Worker(new URL('scripts/search-worker.mjs', import.meta.url), {
    workerData: { packageUrl, task: 'result', rows },
  });
  return new Promise((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
  });
}

describe('worker threads', () => {
  it('give the results of the main thread, several at a time', async () => {
    const rows = 5_000;
    const dimension = 64;
    const data = Float32Array.from({ length: rows * dimension }, (_, i) => ((i * 2654435761) % 1000) / 1000);
    const index = new FlatIndex({ dimension });
    await index.add(data);
    const expected = await index.search(data.subarray(0, 3 * dimension), { k: 20 });
    for (const result of await Promise.all([
      resultInWorker(rows),
      resultInWorker(rows),
      resultInWorker(rows),
    ])) {
      expect(result.rows).toEqual(expected.rows);
      expect(result.scores).toEqual(expected.scores);
    }
  });

  it.each(['search', 'add'])(
    '10 workers terminated in the middle of %s do no harm',
    async (task) => {
      const { latencies, best } = await runScript<{ latencies: number[]; best: number }>('terminate.mjs', [
        packageUrl,
        task,
        '10',
      ]);
      expect(latencies).toHaveLength(10);
      expect(best).toBe(1);
      // Generous, for shared machines: the workers stop at the next block of rows.
      expect(Math.max(...latencies)).toBeLessThan(2_000);
    },
    120_000,
  );
});
