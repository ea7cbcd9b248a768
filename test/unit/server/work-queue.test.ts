import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { WorkQueue } from '../../../src/server/work-queue.js';

const never = new AbortController().signal;

function workQueue(concurrency: number, queue = 100, pendingBytes = 1_000): WorkQueue {
  return new WorkQueue({ concurrency, queue, pendingBytes });
}

/** A work that ends when the test says so. */
function work() {
  let resolve = () => {};
  let reject = (_: Error) => {};
  let started = false;
  const done = new Promise<void>((resolved, rejected) => {
    resolve = resolved;
    reject = rejected;
  });
  const run = () => {
    started = true;
    return done;
  };
  return { run, resolve, reject, started: () => started };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('WorkQueue', () => {
  it('lets in as many as run and wait, and gives a place back once', () => {
    const queue = workQueue(1, 2);
    const tickets = [queue.enter(0), queue.enter(0), queue.enter(0)];
    expect(() => queue.enter(0)).toThrowError(expect.objectContaining({ code: 'OVERLOADED' }));
    tickets[0]!.leave();
    tickets[0]!.leave();
    queue.enter(0);
    expect(() => queue.enter(0)).toThrowError(expect.objectContaining({ code: 'OVERLOADED' }));
  });

  it('lets in so many bytes, and any single body', () => {
    const queue = workQueue(10);
    const large = queue.enter(5_000);
    expect(() => queue.enter(1)).toThrowError(expect.objectContaining({ code: 'OVERLOADED' }));
    large.leave();
    queue.enter(600);
    expect(() => queue.enter(401)).toThrowError(expect.objectContaining({ code: 'OVERLOADED' }));
    queue.enter(400);
  });

  it('runs in the order of arrival, and hands a turn on after a failure too', async () => {
    const queue = workQueue(1);
    const works = [work(), work(), work()];
    const results = works.map(({ run }) => queue.run(never, run));
    await turn();
    expect(works.map(({ started }) => started())).toEqual([true, false, false]);
    expect([queue.running, queue.waiting]).toEqual([1, 2]);
    works[0]!.reject(new Error('broken'));
    await expect(results[0]).rejects.toThrow('broken');
    await turn();
    expect(works.map(({ started }) => started())).toEqual([true, true, false]);
    works[1]!.resolve();
    works[2]!.resolve();
    await Promise.all(results.slice(1));
    expect([queue.running, queue.waiting]).toEqual([0, 0]);
  });

  it('takes the turn back from a work that throws at once', async () => {
    const queue = workQueue(1);
    const thrown = queue.run(never, () => {
      throw new Error('at once');
    });
    await expect(thrown).rejects.toThrow('at once');
    expect([queue.running, queue.waiting]).toEqual([0, 0]);
  });

  it('who is aborted while waiting never runs, and keeps nobody from it', async () => {
    const queue = workQueue(1);
    const [first, second, third] = [work(), work(), work()];
    const abort = new AbortController();
    const running = queue.run(never, first.run);
    const aborted = queue.run(abort.signal, second.run);
    const waiting = queue.run(never, third.run);
    const reason = new Error('gone');
    abort.abort(reason);
    await expect(aborted).rejects.toBe(reason);
    first.resolve();
    await running;
    await turn();
    expect([second.started(), third.started()]).toEqual([false, true]);
    third.resolve();
    await waiting;
    await expect(queue.run(abort.signal, second.run)).rejects.toBe(reason);
    expect(queue.running).toBe(0);
  });

  it('says to come back later where works take longer', async () => {
    const retryAfter = async (milliseconds: number) => {
      const queue = workQueue(1, 9);
      await queue.run(never, () => new Promise((resolve) => setTimeout(resolve, milliseconds)));
      for (let i = 0; i < 10; i++) queue.enter(0);
      try {
        queue.enter(0);
      } catch (error) {
        return (error as { details: { retryAfter: number } }).details.retryAfter;
      }
      return 0;
    };
    expect(await retryAfter(0)).toBe(1);
    expect(await retryAfter(250)).toBeGreaterThanOrEqual(3);
  });

  it('never runs more than it may, and forgets no turn, whatever ends in whatever order', async () => {
    const events = fc.array(
      fc.record({ delay: fc.nat(3), fails: fc.boolean(), abort: fc.option(fc.nat(3), { nil: undefined }) }),
      { maxLength: 30 },
    );
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 4 }), events, async (concurrency, works) => {
        const queue = workQueue(concurrency);
        let running = 0;
        let most = 0;
        const turns = async (count: number) => {
          for (let i = 0; i < count; i++) await turn();
        };
        const results = works.map(({ delay, fails, abort }) => {
          const controller = new AbortController();
          if (abort !== undefined) turns(abort).then(() => controller.abort(new Error('aborted')));
          return queue.run(controller.signal, async () => {
            running += 1;
            most = Math.max(most, running);
            await turns(delay);
            running -= 1;
            if (fails) throw new Error('failed');
          });
        });
        await Promise.allSettled(results);
        while (running > 0) await turn();
        await turn();
        expect(most).toBeLessThanOrEqual(concurrency);
        expect([queue.running, queue.waiting]).toEqual([0, 0]);
      }),
      { numRuns: 100, seed: 1 },
    );
  });
});
