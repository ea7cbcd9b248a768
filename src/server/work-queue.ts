import { GranuleError } from '../errors.js';

/** Limits of a {@link WorkQueue}. */
export interface WorkQueueLimits {
  /** Works that run at the same time. */
  readonly concurrency: number;
  /** Requests that wait beyond those. */
  readonly queue: number;
  /** Bytes of the bodies of all requests that are inside. */
  readonly pendingBytes: number;
}

/** A place in a {@link WorkQueue}. */
export interface Ticket {
  /** Gives the place back; again has no effect. */
  leave(): void;
}

/** Share of the newest work in the running mean of durations. */
const NEWEST = 0.2;
/** Longest time that a client is asked to wait, in seconds. */
const LONGEST_RETRY = 60;

/**
 * Bounds what a server does at once. A request enters before its body is read, or is refused; inside, at most
 * `concurrency` works run, and the others wait in the order in which they came.
 *
 * A work that goes on after its caller was aborted keeps its turn until it ends: no more run at once than the limit says.
 */
export class WorkQueue {
  readonly #limits: WorkQueueLimits;
  readonly #waiting: (() => void)[] = [];
  #inside = 0;
  #bytes = 0;
  #running = 0;
  /** Running mean of the seconds of a work. */
  #seconds = 0;

  constructor(limits: WorkQueueLimits) {
    this.#limits = limits;
  }

  /** Works that wait for their turn. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** Works that run. */
  get running(): number {
    return this.#running;
  }

  /** Requests that are inside. */
  get inside(): number {
    return this.#inside;
  }

  /**
   * Takes a place.
   *
   * @param bytes - what the request's body may take
   * @throws GranuleError `OVERLOADED`; `details.retryAfter` is when there may be room, in seconds
   */
  enter(bytes: number): Ticket {
    const { concurrency, queue, pendingBytes } = this.#limits;
    // A single body always fits: it is limited by itself.
    const tooMuch = this.#bytes > 0 && this.#bytes + bytes > pendingBytes;
    if (this.#inside >= concurrency + queue || tooMuch) {
      throw new GranuleError('OVERLOADED', 'the server has as much to do as it takes; try again later', {
        retryAfter: this.#retryAfter(),
      });
    }
    this.#inside += 1;
    this.#bytes += bytes;
    let left = false;
    return {
      leave: () => {
        if (left) return;
        left = true;
        this.#inside -= 1;
        this.#bytes -= bytes;
      },
    };
  }

  /**
   * Runs `work` when it is its turn. Rejects with the signal's reason as soon as that fires, also where the work takes no
   * notice.
   */
  async run<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    await this.#turn(signal);
    const start = performance.now();
    // What a work throws at once is a failure like any other, and gives its turn back.
    const done = (async () => {
      signal.throwIfAborted();
      return work();
    })().finally(() => {
      const seconds = (performance.now() - start) / 1000;
      this.#seconds = this.#seconds === 0 ? seconds : this.#seconds * (1 - NEWEST) + seconds * NEWEST;
      this.#next();
    });
    return unlessAborted(signal, done);
  }

  async #turn(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.#running < this.#limits.concurrency) {
      this.#running += 1;
      return;
    }
    let called = () => {};
    const turn = new Promise<void>((resolve) => {
      called = resolve;
    });
    this.#waiting.push(called);
    try {
      await unlessAborted(signal, turn);
    } catch (reason) {
      const place = this.#waiting.indexOf(called);
      // The turn came in the same moment: it goes to the next.
      if (place === -1) this.#next();
      else this.#waiting.splice(place, 1);
      throw reason;
    }
  }

  /** Hands the turn of a work that ended to the one that waits longest. */
  #next(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#running -= 1;
    else next();
  }

  #retryAfter(): number {
    const seconds = (this.#inside * this.#seconds) / this.#limits.concurrency;
    return Math.min(LONGEST_RETRY, Math.max(1, Math.ceil(seconds)));
  }
}

/** Waits for `promise`, or rejects with the signal's reason, whichever comes first. */
async function unlessAborted<T>(signal: AbortSignal, promise: Promise<T>): Promise<T> {
  let abort = () => {};
  const aborted = new Promise<never>((_, reject) => {
    abort = () => reject(signal.reason);
  });
  signal.addEventListener('abort', abort, { once: true });
  try {
    signal.throwIfAborted();
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener('abort', abort);
    // Nobody waits any more for a work that was given up.
    promise.catch(() => undefined);
    aborted.catch(() => undefined);
  }
}
