import { GranuleError } from '../errors.js';
import { abortable, waitUnlessAborted } from '../native/abortable.js';
import type { NativeCancelToken } from '../native/addon-types.js';

interface NativeIndex {
  readonly rows: number;
  readonly bytes: number;
  dispose(): void;
}

/**
 * The life of a native index: adds run one after the other, so that row numbers follow the order of the calls, and
 * after `dispose` nothing reaches it.
 *
 * @internal
 */
export class IndexHandle<T extends NativeIndex> {
  #native: T | undefined;
  /** Settles when the last add that was queued has ended, in whichever way. */
  #adds: Promise<void> = Promise.resolve();
  #running: NativeCancelToken | undefined;
  /** Changes only between turns of the event loop, unlike the native count: a caller may size a filter by it. */
  #rows = 0;

  constructor(native: T) {
    this.#native = native;
  }

  /** @throws GranuleError `INDEX_DISPOSED` */
  get native(): T {
    if (this.#native === undefined) throw disposedError();
    return this.#native;
  }

  /** Rows of the adds that have settled; 0 once disposed. */
  get rows(): number {
    return this.#native === undefined ? 0 : this.#rows;
  }

  /** 0 once disposed. */
  get bytes(): number {
    return this.#native?.bytes ?? 0;
  }

  /**
   * Runs `start` when all adds before it have ended.
   *
   * @throws GranuleError `ABORTED`, `INDEX_DISPOSED` (also where the index is disposed of meanwhile), and what `start` throws
   */
  add(
    signal: AbortSignal | undefined,
    start: (native: T, cancel: NativeCancelToken) => Promise<number>,
  ): Promise<number> {
    const turn = this.#adds;
    const added = this.#addAfter(turn, signal, start);
    this.#adds = Promise.allSettled([turn, added]).then(() => undefined);
    return added;
  }

  async #addAfter(
    turn: Promise<void>,
    signal: AbortSignal | undefined,
    start: (native: T, cancel: NativeCancelToken) => Promise<number>,
  ): Promise<number> {
    await waitUnlessAborted(signal, turn);
    const { native } = this;
    const added = abortable(signal, (cancel) => {
      this.#running = cancel;
      return start(native, cancel);
    });
    await Promise.allSettled([added]);
    this.#running = undefined;
    if (this.#native === undefined) throw disposedError();
    this.#rows = native.rows;
    return added;
  }

  /** Frees the memory now; searches under way keep theirs until they end, an add under way stops. */
  dispose(): void {
    // Cancelled first: the memory can be freed when the add has let go of it.
    this.#running?.cancel();
    this.#running = undefined;
    this.#native?.dispose();
    this.#native = undefined;
  }

  /** Disposes, and waits until the adds have ended. */
  async disposeAndWait(): Promise<void> {
    this.dispose();
    await this.#adds;
  }
}

function disposedError(): GranuleError {
  return new GranuleError('INDEX_DISPOSED', 'the index was disposed of');
}
