import { GranuleError } from '../../errors.js';
import type { NativeFileLock } from '../../native/addon-types.js';
import { loadAddon } from '../../native/load-addon.js';
import { type CorpusFiles, unlessSystem } from './corpus-files.js';

/** The lock that one writer holds among all processes, for as long as one change takes. A dead process holds none. */
export class CorpusLock {
  readonly #files: CorpusFiles;
  readonly #lock: NativeFileLock = new (loadAddon().FileLock)();

  constructor(files: CorpusFiles) {
    this.#files = files;
  }

  /** @throws GranuleError `CORPUS_LOCKED` where somebody else holds it, `FILE_NOT_WRITABLE` */
  async acquire(): Promise<void> {
    const { folder, lock } = this.#files;
    try {
      await this.#lock.acquire(lock);
    } catch (cause) {
      if (!(cause instanceof GranuleError) || cause.code !== 'INDEX_LOCKED')
        throw unlessSystem(cause, folder);
      throw new GranuleError(
        'CORPUS_LOCKED',
        `somebody else is writing to ${folder} at this moment`,
        { folder },
        {
          cause,
        },
      );
    }
  }

  release(): void {
    this.#lock.release();
  }
}
