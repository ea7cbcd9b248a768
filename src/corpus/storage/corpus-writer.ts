import { GranuleError } from '../../errors.js';
import { REFUSED_IMAGES_TABLE } from '../database/corpus-schema.js';
import { type Connection, DatabaseThread } from '../database/database-thread.js';
import type { CorpusFiles } from './corpus-files.js';
import { CorpusLock } from './corpus-lock.js';
import type { IndexShelf } from './index-shelf.js';
import { WriteAccess } from './write-access.js';

/** Settings of a connection that writes: every commit is on the disk when it is acknowledged. */
const WRITER_SETTINGS = `
  PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;
  PRAGMA cache_size = -32768; PRAGMA journal_size_limit = 67108864`;

/** Runs changes of a corpus one after the other, each under the corpus' lock. */
export class CorpusWriter {
  readonly #files: CorpusFiles;
  readonly #shelf: IndexShelf;
  readonly #lock: CorpusLock;
  #thread: DatabaseThread | undefined;
  #connection: Connection | undefined;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(files: CorpusFiles, shelf: IndexShelf) {
    this.#files = files;
    this.#shelf = shelf;
    this.#lock = new CorpusLock(files);
  }

  /**
   * Runs one change when all changes before it have ended.
   *
   * @throws GranuleError `CORPUS_LOCKED` where another process, or another object of this one, is writing; `FILE_NOT_WRITABLE`; what `work` throws
   */
  change<T>(work: (access: WriteAccess) => Promise<T>): Promise<T> {
    const done = this.#turn.then(() => this.#locked(work));
    this.#turn = done.catch(() => undefined);
    return done;
  }

  /** Waits for the changes under way and ends the thread. */
  async close(): Promise<void> {
    await this.#turn;
    await this.#endThread();
  }

  async #locked<T>(work: (access: WriteAccess) => Promise<T>): Promise<T> {
    await this.#lock.acquire();
    try {
      const connection = await this.#connect();
      return await work(new WriteAccess(connection, this.#files, this.#shelf));
    } catch (error) {
      // A connection that met an error of its own is not trusted any more: with its thread every transaction of it ends.
      const isOurs = error instanceof GranuleError && error.details['sqlite'] === undefined;
      if (!isOurs) await this.#endThread();
      throw error;
    } finally {
      this.#lock.release();
    }
  }

  async #connect(): Promise<Connection> {
    if (this.#connection !== undefined && this.#thread?.alive) return this.#connection;
    const { database } = this.#files;
    this.#thread = new DatabaseThread();
    this.#connection = await this.#thread.open(database, database, 'write');
    await this.#connection.exec(`${WRITER_SETTINGS}; ${REFUSED_IMAGES_TABLE}`);
    return this.#connection;
  }

  async #endThread(): Promise<void> {
    const thread = this.#thread;
    this.#thread = undefined;
    this.#connection = undefined;
    await thread?.end();
  }
}
