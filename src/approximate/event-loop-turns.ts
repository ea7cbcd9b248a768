import { setImmediate as nextTurn } from 'node:timers/promises';
import { waitUnlessAborted } from '../native/abortable.js';

/** Milliseconds of work on the JavaScript thread after which the event loop has its turn. */
const LONGEST_TURN = 1;

/** Work on the JavaScript thread that lets the event loop run in between, and that a signal stops. */
export class EventLoopTurns {
  readonly #signal: AbortSignal | undefined;
  #started = performance.now();

  constructor(signal: AbortSignal | undefined) {
    this.#signal = signal;
  }

  /** True where the next step should wait for `pass`. */
  get over(): boolean {
    return performance.now() - this.#started > LONGEST_TURN;
  }

  /** @throws GranuleError `ABORTED` */
  async pass(): Promise<void> {
    await waitUnlessAborted(this.#signal, nextTurn());
    this.#started = performance.now();
  }
}
