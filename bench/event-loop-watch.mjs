import { createHistogram, monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as wait } from 'node:timers/promises';

/** Both ways look at the clock this often. */
const INTERVAL = 1;
const IDLE_MILLISECONDS = 500;
const SETTLING_MILLISECONDS = 20;

/**
 * How late the event loop is, watched in two ways: Node's own monitor, and a chain of timers. Each sample is the time
 * between two looks at the clock that are to be 1 ms apart, less that millisecond. Timers count whole milliseconds, so a
 * loop that nothing disturbs is up to a millisecond late too; `idle` measures that.
 */
export class EventLoopWatch {
  #monitor = monitorEventLoopDelay({ resolution: INTERVAL });
  #gaps = createHistogram();
  #timer;
  #idleP99 = 0;

  /** Watches a loop that has nothing to do. */
  async idle() {
    const idle = new EventLoopWatch();
    await idle.start();
    await wait(IDLE_MILLISECONDS);
    idle.stop();
    this.#idleP99 = Math.max(this.#idleP99, idle.figures().eventLoopDelayP99Seconds);
  }

  async start() {
    this.#monitor.enable();
    // The first sample of the monitor reaches back to before it was enabled.
    await wait(SETTLING_MILLISECONDS);
    this.#monitor.reset();
    this.#gaps.reset();
    let last = performance.now();
    const look = () => {
      const now = performance.now();
      this.#gaps.record(Math.max(1, Math.round((now - last) * 1e6)));
      last = now;
      this.#timer = setTimeout(look, INTERVAL);
    };
    this.#timer = setTimeout(look, INTERVAL);
  }

  stop() {
    this.#monitor.disable();
    clearTimeout(this.#timer);
  }

  /** Seconds; p99 and maximum are those of the way that saw more. */
  figures() {
    const late = (pick) =>
      Math.max(0, Math.max(pick(this.#monitor), pick(this.#gaps)) / 1e9 - INTERVAL / 1000);
    return {
      eventLoopDelayP99Seconds: late((histogram) => histogram.percentile(99)),
      eventLoopDelayMostSeconds: late((histogram) => histogram.max),
      eventLoopIdleP99Seconds: this.#idleP99,
    };
  }
}
