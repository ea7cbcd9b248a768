import type { NativeStore } from '../native/addon-types.js';
import { checkBoolean, checkKeys, checkSignal, checkUint32 } from './arguments.js';
import { IndexHandle } from './index-handle.js';
import type { IndexFacts } from './index-manifest.js';
import { checkFolder } from './open-index.js';
import type { SaveOptions, SaveReport } from './save-index.js';

/** Options of what changes an index. */
export interface ChangeOptions {
  /** Stops the change, or takes it out of the queue; nothing is changed then. */
  readonly signal?: AbortSignal | undefined;
}

/** What all indexes do alike, whatever their rows are. */
export abstract class StoredRows<T extends NativeStore> implements Disposable, AsyncDisposable {
  readonly #facts: IndexFacts;
  /** @internal */
  protected readonly handle: IndexHandle<T>;

  /** @internal */
  protected constructor(facts: IndexFacts, native: T) {
    this.#facts = facts;
    this.handle = new IndexHandle(native);
  }

  /** Rows of the adds that have settled, removed ones included; 0 once disposed. */
  get rows(): number {
    return this.handle.rows;
  }

  /**
   * Bytes of memory held outside of the JavaScript heap; 0 once disposed. Vectors that `open` with `mmap` left in their
   * files do not count: the system keeps what is used of them in memory as long as there is room.
   */
  get bytes(): number {
    return this.handle.bytes;
  }

  /**
   * Takes rows out of all later searches. They keep their numbers, and their memory, until `compact`.
   *
   * @param rows - numbers below `rows`, in any order; repeats, and what was removed before, count for nothing
   * @returns how many were there before and are not now
   * @throws GranuleError `INVALID_ARGUMENT`, `ROW_NOT_FOUND` (`details.row`; nothing is removed then), `ABORTED`,
   * `OUT_OF_MEMORY`, `INDEX_DISPOSED`
   */
  async remove(rows: Uint32Array, options: ChangeOptions = {}): Promise<number> {
    checkKeys(options, ['signal']);
    return this.handle.remove(checkUint32(rows, 'rows'), checkSignal(options.signal));
  }

  /**
   * Drops the removed rows and gives back their memory; the others move together and get new numbers, in their order.
   * Needs memory for them twice while it runs; searches go on meanwhile, and see the former numbers until it settles.
   *
   * @returns the former number of each row: row i was row `result[i]`
   * @throws GranuleError `INDEX_CORRUPT`, `ABORTED`, `OUT_OF_MEMORY`, `INDEX_DISPOSED`
   */
  async compact(options: ChangeOptions = {}): Promise<Uint32Array> {
    checkKeys(options, ['signal']);
    return this.handle.compact(checkSignal(options.signal));
  }

  /**
   * Writes the index to a folder, which is made where there is none. To the folder that it was opened from or last saved
   * to, it writes only the rows that were added since and which ones were removed, or, after `compact`, all of them anew. A
   * crash at any moment leaves the former state or the new one. Searches go on meanwhile; changes wait.
   *
   * @throws GranuleError `INDEX_EXISTS` where the folder holds another index, or this one as somebody else has changed it since,
   * and `overwrite` is not set; `INDEX_LOCKED`, `FILE_NOT_WRITABLE`, `INDEX_CORRUPT`, `INDEX_VERSION_UNSUPPORTED`, `INVALID_ARGUMENT`,
   * `ABORTED`, `OUT_OF_MEMORY`, `INDEX_DISPOSED`
   */
  async save(folder: string, options: SaveOptions = {}): Promise<SaveReport> {
    checkKeys(options, ['overwrite', 'signal']);
    const overwrite = checkBoolean(options.overwrite ?? false, 'overwrite');
    return this.handle.save(this.#facts, checkFolder(folder), overwrite, checkSignal(options.signal));
  }

  /** Frees the memory now. Searches under way end as they would have; adds under way or queued reject. */
  dispose(): void {
    this.handle.dispose();
  }

  /** As `dispose`, for `using`. */
  [Symbol.dispose](): void {
    this.dispose();
  }

  /** As `dispose`, for `await using`; also waits until adds under way have stopped. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.handle.disposeAndWait();
  }
}
