import { GranuleError } from '../errors.js';
import { cancellable, waitUnlessAborted } from '../native/abortable.js';
import type { NativeStore } from '../native/addon-types.js';
import type { NativeCancelToken } from '../native/native-cancel-token.js';
import type { IndexFacts } from './index-manifest.js';
import { type SavedState, type SaveReport, saveIndex } from './save-index.js';

/**
 * The life of a native index: what changes it runs one after the other, so that row numbers follow the order of the
 * calls, and after `dispose` nothing reaches it.
 *
 * @internal
 */
export class IndexHandle<T extends NativeStore> {
  #native: T | undefined;
  /** Settles when the last change that was queued has ended, in whichever way. */
  #changes: Promise<void> = Promise.resolve();
  #running: NativeCancelToken | undefined;
  /** Changes only between turns of the event loop, unlike the native count: a caller may size a filter by it. */
  #rows = 0;
  #saved: SavedState | undefined;

  constructor(native: T) {
    this.#native = native;
  }

  /** @throws GranuleError `INDEX_DISPOSED` */
  get native(): T {
    if (this.#native === undefined) throw disposedError();
    return this.#native;
  }

  /** Rows of the changes that have settled; 0 once disposed. */
  get rows(): number {
    return this.#native === undefined ? 0 : this.#rows;
  }

  /** 0 once disposed. */
  get removed(): number {
    return this.#native?.removed ?? 0;
  }

  /** What `read` says of the native index; `otherwise` once disposed. */
  ask<Answer>(read: (native: T) => Answer, otherwise: Answer): Answer {
    return this.#native === undefined ? otherwise : read(this.#native);
  }

  /** 0 once disposed. */
  get bytes(): number {
    return this.#native?.bytes ?? 0;
  }

  /**
   * Runs `start` when all changes before it have ended.
   *
   * @param finish - runs after it, in the turn in which `rows` changes
   * @throws GranuleError `ABORTED`, `INDEX_DISPOSED` (also where the index is disposed of meanwhile), and what `start` throws
   */
  change<Result>(
    signal: AbortSignal | undefined,
    start: (native: T, cancel: NativeCancelToken) => Promise<Result>,
    finish: (native: T) => void = () => undefined,
  ): Promise<Result> {
    const turn = this.#changes;
    const changed = this.#changeAfter(turn, signal, start, finish);
    this.#changes = Promise.allSettled([turn, changed]).then(() => undefined);
    return changed;
  }

  async #changeAfter<Result>(
    turn: Promise<void>,
    signal: AbortSignal | undefined,
    start: (native: T, cancel: NativeCancelToken) => Promise<Result>,
    finish: (native: T) => void,
  ): Promise<Result> {
    await waitUnlessAborted(signal, turn);
    const { native } = this;
    const changed = cancellable(signal, (cancel) => {
      this.#running = cancel;
      return start(native, cancel);
    });
    const [{ status }] = await Promise.allSettled([changed]);
    this.#running = undefined;
    if (this.#native === undefined) throw disposedError();
    if (status === 'fulfilled') finish(native);
    this.#rows = native.rows;
    return changed;
  }

  /**
   * Takes rows out of later searches.
   *
   * @returns how many there were
   * @throws GranuleError `ROW_NOT_FOUND`, `ABORTED`, `OUT_OF_MEMORY`, `INDEX_DISPOSED`
   */
  remove(rows: Uint32Array, signal: AbortSignal | undefined): Promise<number> {
    // Copied: removing waits for its turn, and the array is the caller's again.
    const own = rows.slice();
    return this.change(signal, (native) => native.remove(own));
  }

  /**
   * Drops the removed rows.
   *
   * @returns the former number of each row
   * @throws GranuleError `INDEX_CORRUPT`, `ABORTED`, `OUT_OF_MEMORY`, `INDEX_DISPOSED`
   */
  compact(signal: AbortSignal | undefined): Promise<Uint32Array> {
    return this.change(
      signal,
      (native, cancel) => native.compact(cancel),
      (native) => {
        // Shown only now: rows that a caller reads, and those that a search sees, change in one turn.
        if (!native.adoptCompaction())
          throw new GranuleError('INTERNAL', 'the index changed while it was compacted');
        if (this.#saved !== undefined) this.#saved = { ...this.#saved, isPrefix: false };
      },
    );
  }

  /**
   * Saves the rows of the changes that have settled.
   *
   * @throws GranuleError as `saveIndex`
   */
  save(
    facts: IndexFacts,
    folder: string,
    overwrite: boolean,
    signal: AbortSignal | undefined,
  ): Promise<SaveReport> {
    return this.change(signal, async (native, cancel) => {
      const call = { native, cancel, checkpoint: () => this.#checkpoint(signal) };
      const { report, saved } = await saveIndex(call, facts, this.#saved, folder, overwrite);
      this.#saved = saved;
      return report;
    });
  }

  /**
   * Fills an index without rows from files.
   *
   * @param saved - the state that the files hold
   * @param load - is given a function that throws where it is to stop
   * @throws GranuleError `ABORTED`, `INDEX_DISPOSED`, and what `load` throws
   */
  async open(
    signal: AbortSignal | undefined,
    saved: SavedState,
    load: (native: T, cancel: NativeCancelToken, checkpoint: () => void) => Promise<void>,
  ): Promise<void> {
    await this.change(signal, (native, cancel) => load(native, cancel, () => this.#checkpoint(signal)));
    this.#saved = saved;
  }

  #checkpoint(signal: AbortSignal | undefined): void {
    if (signal?.aborted) throw new GranuleError('ABORTED', 'the operation was aborted');
    if (this.#native === undefined) throw disposedError();
  }

  /** Frees the memory now; searches under way keep theirs until they end, a change under way stops. */
  dispose(): void {
    // Cancelled first: the memory can be freed when the change has let go of it.
    this.#running?.cancel();
    this.#running = undefined;
    this.#native?.dispose();
    this.#native = undefined;
  }

  /** Disposes, and waits until the changes have ended. */
  async disposeAndWait(): Promise<void> {
    this.dispose();
    await this.#changes;
  }
}

function disposedError(): GranuleError {
  return new GranuleError('INDEX_DISPOSED', 'the index was disposed of');
}
