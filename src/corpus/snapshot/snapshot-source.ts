import { GranuleError } from '../../errors.js';
import type { Encoding } from '../current-encoders.js';
import { type CorpusState, parseState, READ_STATE } from '../database/corpus-state.js';
import { type Connection, DatabaseThread } from '../database/database-thread.js';
import { openForReading, openReader, type ReadablePath } from '../database/open-connection.js';
import type { CorpusFiles } from '../storage/corpus-files.js';
import type { IndexSet } from '../storage/index-set.js';
import type { IndexShelf, ReachedIndexes } from '../storage/index-shelf.js';
import { FilterResults } from './filter-results.js';

/** One state of a corpus: a transaction that reads it, and indexes that hold its rows. */
export interface SnapshotView {
  /** In a transaction that reads the state of this version. */
  readonly connection: Connection;
  readonly state: CorpusState;
  readonly encoding: Encoding;
  readonly indexes: IndexSet;
  /** Rows of this state that count, one bit each. */
  readonly live: { readonly passages: Uint8Array; readonly images: Uint8Array };
  /** What filters allow in this state. */
  readonly filters: FilterResults;
  /** What the journal brought when the indexes were brought to this state. */
  readonly journalRows: number;
  readonly skippedRows: number;
}

interface Held extends SnapshotView {
  users: number;
}

/** A rebuild may replace the indexes between two steps of this; one that does so again and again does not keep it for ever. */
const MOST_ATTEMPTS = 10;

/** Is told of each state before it is given out; returns undefined where a later one was seen already. */
type OnState = (state: CorpusState, connection: Connection) => Promise<Encoding | undefined>;

/** Gives out views of the latest state; views of one version share a transaction. */
export class SnapshotSource {
  readonly #files: CorpusFiles;
  readonly #shelf: IndexShelf;
  readonly #onState: OnState;
  #thread: DatabaseThread | undefined;
  #restarting: Promise<unknown> | undefined;
  #path: ReadablePath | undefined;
  readonly #idle: Connection[] = [];
  #latest: Held | undefined;
  #closed = false;

  constructor(files: CorpusFiles, shelf: IndexShelf, onState: OnState) {
    this.#files = files;
    this.#shelf = shelf;
    this.#onState = onState;
  }

  /** @throws GranuleError `CORPUS_INVALID` */
  async open(): Promise<Connection> {
    this.#thread = new DatabaseThread();
    try {
      const { connection, ...path } = await openForReading(this.#thread, this.#files.database);
      this.#path = path;
      this.#idle.push(connection);
      return connection;
    } catch (error) {
      await this.#thread.end();
      throw error;
    }
  }

  /** Whether the corpus lies where nothing can be written. */
  get immutable(): boolean {
    return this.#path?.immutable ?? false;
  }

  /**
   * A view of the latest state; `release` it.
   *
   * @throws GranuleError `CORPUS_INVALID`, `OUT_OF_MEMORY`, `ABORTED`, `INDEX_DISPOSED` once closed
   */
  async acquire(signal?: AbortSignal): Promise<SnapshotView> {
    if (this.#closed) throw new GranuleError('INDEX_DISPOSED', `${this.#files.folder} is closed`);
    if (!this.#thread!.alive) await this.#restart();
    for (let attempt = 1; attempt <= MOST_ATTEMPTS; attempt++) {
      const found = await this.#tryAcquire(signal);
      if (found !== undefined) return found;
    }
    throw new GranuleError(
      'CORPUS_LOCKED',
      `${this.#files.folder} was rebuilt again and again while it was opened`,
      {
        folder: this.#files.folder,
      },
    );
  }

  /** Ends the use of a view; the last user of a version ends its transaction. */
  async release(view: SnapshotView): Promise<void> {
    const held = view as Held;
    held.users -= 1;
    if (held.users > 0) return;
    held.indexes.release();
    await this.#giveBack(held.connection);
  }

  /** Ends the thread, and with it every transaction. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#thread?.end();
  }

  /** @returns undefined where the state that was read has been replaced meanwhile */
  async #tryAcquire(signal: AbortSignal | undefined): Promise<SnapshotView | undefined> {
    const connection = this.#idle.pop() ?? (await this.#connect());
    try {
      const [, found] = await connection.run([{ kind: 'exec', sql: 'BEGIN' }, READ_STATE]);
      const state = parseState(found, this.#files.database);
      const latest = this.#latest;
      if (latest?.state.version === state.version && latest.users > 0) {
        latest.users += 1;
        await this.#giveBack(connection);
        return latest;
      }
      const encoding = await this.#onState(state, connection);
      const reached = encoding && (await this.#reach(state, connection, signal));
      if (encoding === undefined || reached === undefined) {
        await this.#giveBack(connection);
        return undefined;
      }
      const { indexes, journalRows, skippedRows } = reached;
      let live: SnapshotView['live'];
      try {
        live = await this.#live(state, connection);
      } catch (error) {
        indexes.release();
        throw error;
      }
      const filters = new FilterResults(connection);
      const caughtUp = { journalRows, skippedRows };
      const held: Held = { connection, state, encoding, indexes, live, filters, ...caughtUp, users: 1 };
      if (this.#latest === undefined || this.#latest.state.version <= state.version) this.#latest = held;
      return held;
    } catch (error) {
      await this.#giveBack(connection);
      throw error;
    }
  }

  /**
   * Indexes of a state. A rebuild deletes a former generation file by file, so that whatever is missing or does not fit together
   * counts only where the generation is still the current one.
   *
   * @returns undefined where the state has been replaced
   * @throws GranuleError `CORPUS_INVALID`, `DEVICE_UNAVAILABLE`, `OUT_OF_MEMORY`, `ABORTED`
   */
  async #reach(
    state: CorpusState,
    connection: Connection,
    signal: AbortSignal | undefined,
  ): Promise<ReachedIndexes | undefined> {
    let damage: GranuleError | undefined;
    try {
      const reached = await this.#shelf.reach(state, connection, signal);
      if (reached !== undefined) return reached;
    } catch (error) {
      if (!(error instanceof GranuleError) || error.code !== 'CORPUS_INVALID') throw error;
      damage = error;
    }
    const [, , found] = await connection.run([
      { kind: 'exec', sql: 'ROLLBACK' },
      { kind: 'exec', sql: 'BEGIN' },
      READ_STATE,
    ]);
    const { generation, encoding } = parseState(found, this.#files.database);
    if (generation !== state.generation || encoding !== state.encoding) return undefined;
    const file = this.#files.generation(generation);
    throw damage ?? new GranuleError('CORPUS_INVALID', `an index of ${file} is missing`, { file });
  }

  /** The rows that count; those of the version before are taken over where none died since. */
  async #live(state: CorpusState, connection: Connection): Promise<SnapshotView['live']> {
    const before = this.#latest;
    const isOlder = before?.state.generation === state.generation && before.state.version <= state.version;
    const same = isOlder ? before : undefined;
    const liveRows = async (space: 'passages' | 'images', rows: number, known: boolean, anyDead: boolean) => {
      const bits = allRows(rows);
      if (!anyDead) return bits;
      if (known)
        return extended(
          same!.live[space],
          bits,
          same!.state[space === 'passages' ? 'passageRows' : 'imageRows'],
        );
      const dead = await connection.bits('SELECT row FROM dead WHERE space = ?', [space], bits.length);
      for (let i = 0; i < bits.length; i++) bits[i]! &= ~dead[i]!;
      return bits;
    };
    const { deadPassages, deadImages } = state;
    return {
      passages: await liveRows(
        'passages',
        state.passageRows,
        same?.state.deadPassages === deadPassages,
        deadPassages > 0,
      ),
      images: await liveRows(
        'images',
        state.imageRows,
        same?.state.deadImages === deadImages,
        deadImages > 0,
      ),
    };
  }

  /** A new thread in the place of one that has died; what was read on the old one rejects. */
  #restart(): Promise<unknown> {
    this.#idle.length = 0;
    this.#restarting ??= this.open().finally(() => {
      this.#restarting = undefined;
    });
    return this.#restarting;
  }

  async #connect(): Promise<Connection> {
    return openReader(this.#thread!, this.#path!.path, this.#files.database);
  }

  async #giveBack(connection: Connection): Promise<void> {
    if (this.#closed) return;
    try {
      await connection.exec('ROLLBACK');
      this.#idle.push(connection);
    } catch {
      // A connection that met an error has no transaction any more, and is not used again.
    }
  }
}

/** Bits of `rows` rows, all set. */
function allRows(rows: number): Uint8Array {
  const bits = new Uint8Array(Math.ceil(rows / 8)).fill(0xff);
  if (rows % 8 > 0) bits[bits.length - 1] = 0xff >> (8 - (rows % 8));
  return bits;
}

/** `all`, whose first `rows` bits are those of `known`. */
function extended(known: Uint8Array, all: Uint8Array, rows: number): Uint8Array {
  if (rows === 0) return all;
  const last = (rows - 1) >> 3;
  const newRows = rows % 8 === 0 ? 0 : all[last]! & (0xff << (rows % 8));
  all.set(known.subarray(0, last + 1));
  all[last]! |= newRows;
  return all;
}
