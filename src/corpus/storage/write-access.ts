import type { CorpusState, CorpusStateDraft } from '../database/corpus-state.js';
import { parseState, READ_STATE, writeState } from '../database/corpus-state.js';
import type { Connection, Step } from '../database/database-thread.js';
import type { CorpusFiles } from './corpus-files.js';
import type { RowVectors } from './index-set.js';
import type { IndexShelf } from './index-shelf.js';
import { forgetSavedRows, journalSteps, MEASURE_JOURNAL } from './journal.js';

/** A transaction that is being put together. */
export interface WriteTransaction {
  readonly connection: Connection;
  /** The state as it will be; what changes it is written at the end. */
  readonly state: CorpusStateDraft;
  /** Adds statements that are run at the end, in one go with the commit. */
  add(...steps: readonly Step[]): void;
  /** Adds vectors of new rows: they go into the journal, and after the commit to the indexes. */
  addRows(rows: RowVectors): void;
}

/** How much may wait in the journal. */
export interface JournalLimits {
  readonly bytes: number;
  readonly records: number;
}

/**
 * What one holder of the corpus' lock may do. Transactions come one after the other; each is either there as a whole or
 * not at all, whatever happens to the process.
 */
export class WriteAccess {
  readonly connection: Connection;
  readonly files: CorpusFiles;
  readonly #shelf: IndexShelf;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(connection: Connection, files: CorpusFiles, shelf: IndexShelf) {
    this.connection = connection;
    this.files = files;
    this.#shelf = shelf;
  }

  /** The committed state: nobody else can change it now. */
  async state(): Promise<CorpusState> {
    const [result] = await this.connection.run([READ_STATE]);
    return parseState(result, this.files.database);
  }

  /**
   * Runs `work` in a transaction and commits; where it adds no statement and changes nothing of the state, it is taken back.
   *
   * @throws what `work` throws, and `FILE_NOT_WRITABLE`; the transaction is taken back then
   */
  transaction<T>(work: (transaction: WriteTransaction) => Promise<T>): Promise<T> {
    const done = this.#turn.then(() => this.#transaction(work));
    this.#turn = done.catch(() => undefined);
    return done;
  }

  async #transaction<T>(work: (transaction: WriteTransaction) => Promise<T>): Promise<T> {
    const { connection, files } = this;
    const steps: Step[] = [];
    const added: RowVectors[] = [];
    let result: T;
    let generation: number;
    const [, found] = await connection.run([{ kind: 'exec', sql: 'BEGIN IMMEDIATE' }, READ_STATE]);
    try {
      const previous = parseState(found, files.database);
      const state: CorpusStateDraft = { ...previous };
      result = await work({
        connection,
        state,
        add: (...more) => void steps.push(...more),
        addRows: (rows) => void added.push(rows),
      });
      ({ generation } = state);
      if (added.length > 0) {
        const journal = journalSteps(added);
        steps.push(...journal.steps);
        state.journalRecords += journal.records;
        state.journalBytes += journal.bytes;
      }
      const nothing = steps.length === 0 && writeState(state, previous).parameters.length === 0;
      if (nothing) {
        await connection.exec('ROLLBACK');
        return result;
      }
      state.version += 1;
      await connection.run([...steps, writeState(state, previous), { kind: 'exec', sql: 'COMMIT' }]);
    } catch (error) {
      // Where the connection is broken this fails too; then whoever opened it ends its thread, and with it the transaction.
      await connection.exec('ROLLBACK').catch(() => undefined);
      throw error;
    }
    if (added.length > 0) await this.#shelf.append(generation, added);
    return result;
  }

  /** Gives the system back what the database no longer needs, such as the pages of journal rows that moved to the folders. */
  async shrink(): Promise<void> {
    await this.connection.exec('PRAGMA incremental_vacuum');
  }

  /**
   * Moves the journal's vectors to the index folders where more than this waits. The folders are written first: a crash in
   * between leaves rows in both, which an opening finds out.
   */
  async checkpoint(limits: JournalLimits): Promise<void> {
    const state = await this.state();
    if (state.journalBytes <= limits.bytes && state.journalRecords <= limits.records) return;
    const reached = await this.#shelf.reach(state, this.connection);
    if (reached === undefined) return;
    try {
      const saved = await this.#shelf.save(state, this.connection);
      await this.transaction(async ({ state: draft, connection }) => {
        draft.savedPassages = saved.passages;
        draft.savedImages = saved.images;
        draft.savedPatches = saved.patches;
        const results = await connection.run([
          forgetSavedRows('passages', saved.passages),
          forgetSavedRows('images', saved.images),
          forgetSavedRows('patches', saved.patches),
          MEASURE_JOURNAL,
        ]);
        const [{ records, bytes }] = results[3] as [{ records: number; bytes: number }];
        draft.journalRecords = records;
        draft.journalBytes = bytes;
      });
    } finally {
      reached.indexes.release();
    }
  }
}
