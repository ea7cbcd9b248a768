import { describe, expect, it } from 'vitest';
import { EventLoopTurns } from '../../../src/approximate/event-loop-turns.js';

function work(milliseconds: number): void {
  const end = performance.now() + milliseconds;
  while (performance.now() < end);
}

describe('EventLoopTurns', () => {
  it('is over after a millisecond of work, and lets the event loop run', async () => {
    const turns = new EventLoopTurns(undefined);
    work(2);
    expect(turns.over).toBe(true);
    let ran = false;
    setImmediate(() => {
      ran = true;
    });
    await turns.pass();
    expect(ran).toBe(true);
  });

  it('stops work when the signal comes while it waits', async () => {
    const controller = new AbortController();
    const turns = new EventLoopTurns(controller.signal);
    const passing = turns.pass();
    controller.abort(new Error('enough'));
    await expect(passing).rejects.toMatchObject({ code: 'ABORTED', cause: controller.signal.reason });
  });
});
