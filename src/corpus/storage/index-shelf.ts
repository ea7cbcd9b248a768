import { GranuleError } from '../../errors.js';
import type { CorpusState } from '../database/corpus-state.js';
import type { Connection } from '../database/database-thread.js';
import type { CorpusFiles } from './corpus-files.js';
import { type Dimensions, IndexSet, type OpenIndexesOptions, type RowVectors, SPACES } from './index-set.js';
import { type CaughtUp, catchUp } from './journal.js';

/** Indexes that hold all rows of a state; their user releases them. */
export interface ReachedIndexes extends Omit<CaughtUp, 'complete'> {
  readonly indexes: IndexSet;
}

/** Keeps the current indexes of a corpus, and brings them forward, one step at a time. */
export class IndexShelf {
  readonly #files: CorpusFiles;
  readonly #options: OpenIndexesOptions;
  readonly #dimensionsAt: (state: CorpusState) => Dimensions | undefined;
  #current: IndexSet | undefined;
  #turn: Promise<unknown> = Promise.resolve();

  /** @param dimensionsAt - numbers of the vectors in a state; undefined where the state is not current any more */
  constructor(
    files: CorpusFiles,
    dimensionsAt: (state: CorpusState) => Dimensions | undefined,
    options: OpenIndexesOptions,
  ) {
    this.#files = files;
    this.#dimensionsAt = dimensionsAt;
    this.#options = options;
  }

  /**
   * Indexes with all rows of a state; they may hold later rows too.
   *
   * @param connection - in the transaction in which the state was read
   * @returns undefined where the state is not the current one any more, or the files of its generation are gone
   * @throws GranuleError `CORPUS_INVALID`, `DEVICE_UNAVAILABLE`, `OUT_OF_MEMORY`, `ABORTED`
   */
  reach(
    state: CorpusState,
    connection: Connection,
    signal?: AbortSignal,
  ): Promise<ReachedIndexes | undefined> {
    return this.#inTurn(async () => {
      if (this.#current !== undefined && this.#current.generation > state.generation) return undefined;
      if (this.#current?.generation === state.generation) {
        const caught = await this.#catchUp(this.#current, state, connection, signal);
        if (caught.complete) return { ...caught, indexes: this.#current.retain() };
      }
      const opened = await this.#reopen(state, connection, signal);
      return opened && { ...opened, indexes: opened.indexes.retain() };
    });
  }

  /** Adds what was just committed, where the current indexes are of that generation. */
  append(generation: number, added: readonly RowVectors[]): Promise<void> {
    return this.#inTurn(async () => {
      if (this.#current?.generation !== generation) return;
      for (const rows of added) {
        // Rows that do not follow on come from the journal when somebody needs them.
        if (!(await this.#current.append(rows))) return;
      }
    });
  }

  /**
   * Writes what the folders lack, under the corpus' lock.
   *
   * @returns rows in the folder of each space
   */
  save(state: CorpusState, connection: Connection): Promise<Record<(typeof SPACES)[number], number>> {
    return this.#inTurn(async () => {
      try {
        return await this.#saveAll();
      } catch (error) {
        if ((error as GranuleError).code !== 'INDEX_EXISTS') throw error;
      }
      // Another process has saved since these were opened; what it saved is what they hold.
      await this.#reopen(state, connection, undefined);
      return this.#saveAll();
    });
  }

  /** Lets go of the indexes; they are opened again when they are needed. */
  clear(): Promise<void> {
    return this.#inTurn(async () => {
      this.#current?.release();
      this.#current = undefined;
    });
  }

  async #reopen(
    state: CorpusState,
    connection: Connection,
    signal: AbortSignal | undefined,
  ): Promise<ReachedIndexes | undefined> {
    const dimensions = this.#dimensionsAt(state);
    if (dimensions === undefined) return undefined;
    let opened: IndexSet;
    try {
      const options = { ...this.#options, signal };
      opened = await IndexSet.open(this.#files, state, dimensions, options);
    } catch (error) {
      if ((error as GranuleError).code === 'FILE_NOT_FOUND') return undefined;
      throw error;
    }
    const caught = await this.#catchUp(opened, state, connection, signal).catch((error: unknown) => {
      opened.release();
      throw error;
    });
    if (!caught.complete) {
      const rows = SPACES.map((space) => `${opened.rows(space)} ${space}`).join(', ');
      opened.release();
      throw new GranuleError(
        'CORPUS_INVALID',
        `${this.#files.folder}: index folders and journal hold ${rows}, the corpus ${state.passageRows} passages and ${state.imageRows} images`,
        { file: this.#files.generation(state.generation) },
      );
    }
    this.#current?.release();
    this.#current = opened;
    return { ...caught, indexes: opened };
  }

  #catchUp(
    indexes: IndexSet,
    state: CorpusState,
    connection: Connection,
    signal: AbortSignal | undefined,
  ): Promise<CaughtUp> {
    return catchUp(indexes, connection, state, this.#files.database, signal);
  }

  async #saveAll(): Promise<Record<(typeof SPACES)[number], number>> {
    const saved = { passages: 0, images: 0, patches: 0 };
    for (const space of SPACES) saved[space] = (await this.#current?.save(space)) ?? 0;
    return saved;
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(work);
    this.#turn = done.catch(() => undefined);
    return done;
  }
}
