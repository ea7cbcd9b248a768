import { setImmediate } from 'node:timers/promises';
import { waitUnlessAborted } from '../native/abortable.js';

const MILLISECONDS = 1;

/**
 * Lets long work on the calling thread give the event loop its turns: `if (turns.due) await turns.next()`.
 *
 * @internal
 */
export class EventLoopTurns {
  readonly #signal: AbortSignal | undefined;
  #since = performance.now();

  constructor(signal: AbortSignal | undefined) {
    this.#signal = signal;
  }

  /** Whether a millisecond has passed since the last turn. */
  get due(): boolean {
    return performance.now() - this.#since >= MILLISECONDS;
  }

  /** @throws GranuleError `ABORTED` */
  async next(): Promise<void> {
    await waitUnlessAborted(this.#signal, setImmediate());
    this.#since = performance.now();
  }
}
