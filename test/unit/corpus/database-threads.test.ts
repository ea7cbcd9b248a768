import type { Worker } from 'node:worker_threads';
import { expect, it, vi } from 'vitest';
import { build, contents, lineOf, lookAt } from './small-corpus.js';

const workers: Worker[] = [];
vi.mock('node:worker_threads', async (original) => {
  const library = await original<typeof import('node:worker_threads')>();
  class WatchedWorker extends library.Worker {
    constructor(...args: ConstructorParameters<typeof Worker>) {
      super(...args);
      workers.push(this as Worker);
    }
  }
  return { ...library, Worker: WatchedWorker };
});

it('a corpus whose database threads have died goes on with new ones', async () => {
  const { corpus } = await build([lineOf('a')]);
  const snapshot = await corpus.snapshot();
  const before = workers.length;
  await Promise.all(workers.map((worker) => worker.terminate()));
  await expect(snapshot.entity('a')).rejects.toMatchObject({ code: 'INTERNAL' });
  await snapshot.release();

  const seen = await Promise.all([1, 2, 3].map(() => lookAt(corpus, async ({ counts }) => counts.passages)));
  expect(seen).toEqual([2, 2, 2]);
  expect(await corpus.put(lineOf('b'))).toBe('added');
  expect((await contents(corpus)).found).toHaveLength(4);
  expect(await corpus.verify()).toMatchObject({ ok: true, problems: [] });
  expect(workers.length).toBe(before + 2);
  await corpus.close();
});
