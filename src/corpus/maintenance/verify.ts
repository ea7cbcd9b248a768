import { createHash } from 'node:crypto';
import { open, readdir } from 'node:fs/promises';
import { GranuleError } from '../../errors.js';
import { FlatIndex } from '../../index/flat-index.js';
import { MultiVectorIndex } from '../../index/multi-vector-index.js';
import { rowsOf, type Space } from '../database/corpus-state.js';
import { type EncoderRecord, hashOfState } from '../encoder-records.js';
import { checkAborted } from '../ingest/line-batches.js';
import type { SnapshotView } from '../snapshot/snapshot-source.js';
import type { CorpusFiles } from '../storage/corpus-files.js';
import { unnamedImages } from '../storage/image-files.js';
import { type Dimensions, SPACES } from '../storage/index-set.js';

/** Something that is not as it should be. */
export interface VerifyProblem {
  /** A path, or a table. */
  readonly where: string;
  readonly what: string;
}

/** What `verify` found. */
export interface VerifyReport {
  /** Whether there is no problem. */
  readonly ok: boolean;
  readonly problems: readonly VerifyProblem[];
  /** What is there without being needed: files of an end that was not orderly, which the next writer deletes. */
  readonly leftovers: readonly string[];
  /** What was compared. */
  readonly checked: { readonly rows: number; readonly images: number; readonly bytes: number };
}

/** Problems beyond this are counted, not listed. */
const MOST_PROBLEMS = 100;
const IMAGES_PER_READ = 200;
const ROWS_PER_READ = 256;
const READ_CHUNK = 1 << 18;

/** Compares all that a corpus has with what it says of it. */
export async function verifyCorpus(
  files: CorpusFiles,
  view: SnapshotView,
  signal: AbortSignal | undefined,
): Promise<VerifyReport> {
  return new Verification(files, view, signal).run();
}

class Verification {
  readonly #files: CorpusFiles;
  readonly #view: SnapshotView;
  readonly #dimensions: Dimensions;
  readonly #signal: AbortSignal | undefined;
  readonly #problems: VerifyProblem[] = [];
  readonly #leftovers: string[] = [];
  readonly #checked = { rows: 0, images: 0, bytes: 0 };

  constructor(files: CorpusFiles, view: SnapshotView, signal: AbortSignal | undefined) {
    this.#files = files;
    this.#view = view;
    this.#dimensions = view.encoding.dimensions;
    this.#signal = signal;
  }

  /** Runs every comparison; a problem that one finds does not end the others. */
  async run(): Promise<VerifyReport> {
    await this.#database();
    for (const record of Object.values(this.#view.encoding.records)) this.#encoder(record);
    await this.#counts();
    for (const space of SPACES) if (this.#dimensions[space] > 0) await this.#index(space);
    await this.#boxes();
    await this.#passagePlaces();
    await this.#images();
    await this.#findLeftovers();
    return {
      ok: this.#problems.length === 0,
      problems: this.#problems,
      leftovers: this.#leftovers,
      checked: this.#checked,
    };
  }

  #say(where: string, what: string): void {
    checkAborted(this.#signal);
    if (this.#problems.length < MOST_PROBLEMS) this.#problems.push({ where, what });
  }

  async #database(): Promise<void> {
    const { connection } = this.#view;
    const found = await connection.all<{ integrity_check: string }>('PRAGMA integrity_check');
    for (const { integrity_check: what } of found) if (what !== 'ok') this.#say(this.#files.database, what);
    const broken = await connection.all<{ table: string; rowid: number }>('PRAGMA foreign_key_check');
    for (const { table, rowid } of broken)
      this.#say(table, `record ${rowid} belongs to something that is not there`);
  }

  #encoder({ role, state, hash }: EncoderRecord): void {
    if (state !== undefined && hashOfState(state) !== hash)
      this.#say('encoders', `what the ${role} encoder learned does not match its checksum`);
  }

  /** The state's numbers against the tables', and every row that was given out against what has it. */
  async #counts(): Promise<void> {
    const { state, connection } = this.#view;
    const tables = ['entities', 'documents', 'passages', 'images'] as const;
    for (const table of tables) await this.#expect(table, state[table], `SELECT count(*) AS n FROM ${table}`);
    await this.#expect('journal', state.journalRecords, 'SELECT count(*) AS n FROM journal');
    for (const [table, key, rows, dead] of [
      ['passages', 'nextPassage', state.passageRows, state.deadPassages],
      ['images', 'nextImage', state.imageRows, state.deadImages],
    ] as const) {
      const column = table.slice(0, -1);
      await this.#expect('dead', dead, `SELECT count(*) AS n FROM dead WHERE space = '${table}'`);
      await this.#expect(table, rows - dead, `SELECT count(*) AS n FROM ${table} WHERE row IS NOT NULL`);
      await this.#expect(table, 0, `SELECT count(*) AS n FROM ${table} WHERE row < 0 OR row >= ${rows}`);
      await this.#expect(table, 0, `SELECT count(*) AS n FROM ${table} WHERE ${column} >= ${state[key]}`);
      const [found] = await connection.all<{ n: number }>(
        `SELECT count(*) AS n FROM dead JOIN ${table} ON ${table}.row = dead.row WHERE dead.space = '${table}'`,
      );
      if (found!.n > 0) this.#say(table, `${found!.n} records have rows that are dead`);
    }
  }

  async #expect(where: string, expected: number, sql: string): Promise<void> {
    const [found] = await this.#view.connection.all<{ n: number }>(sql);
    if (found!.n !== expected) this.#say(where, `${found!.n} instead of ${expected}: ${sql}`);
  }

  /** Reads a folder with all its checksums, and follows the journal from its end. */
  async #index(space: Space): Promise<void> {
    const { state, connection } = this.#view;
    const folder = this.#files.index(state.generation, space);
    const saved = { passages: state.savedPassages, images: state.savedImages, patches: state.savedPatches }[
      space
    ];
    const kind = space === 'patches' ? MultiVectorIndex : FlatIndex;
    let rows = 0;
    try {
      const index = await kind.open(folder, { signal: this.#signal });
      rows = index.rows;
      if (index.dimension !== this.#dimensions[space])
        this.#say(folder, `holds vectors of ${index.dimension} numbers, not ${this.#dimensions[space]}`);
      index.dispose();
    } catch (error) {
      const { code, message } = error as GranuleError;
      if (!(error instanceof GranuleError) || code === 'ABORTED') throw error;
      if (code !== 'FILE_NOT_FOUND' || saved > 0) return this.#say(folder, message);
    }
    if (rows < saved) this.#say(folder, `holds ${rows} rows where ${saved} were saved`);
    this.#checked.rows += rows;
    const all = rowsOf(state, space);
    const journal = await connection.all<{ row: number; rows: number }>(
      'SELECT row, rows FROM journal WHERE space = ? ORDER BY row',
      [space],
    );
    let reached = rows;
    for (const record of journal) {
      if (record.row > reached) break;
      reached = Math.max(reached, record.row + record.rows);
    }
    if (reached < all) this.#say('journal', `the ${space} from row ${reached} to ${all} are nowhere`);
    // A later state's rows may be there already, never in the journal of this one.
    const last = journal.at(-1);
    if (last !== undefined && last.row + last.rows > all)
      this.#say('journal', `has rows of ${space} beyond ${all}`);
  }

  /** Every patch must have a place, and every place a patch. */
  async #boxes(): Promise<void> {
    const { indexes, connection } = this.#view;
    const { patches } = indexes;
    for (let last = -1; ; ) {
      checkAborted(this.#signal);
      const found = await connection.all<{ row: number; id: string; bytes: number | null }>(
        `SELECT row, id, length(boxes) AS bytes FROM images WHERE row > ? ORDER BY row LIMIT ${ROWS_PER_READ}`,
        [last],
      );
      if (found.length === 0) return;
      last = found.at(-1)!.row;
      const lengths =
        patches &&
        (await this.#guard('patches', () => patches.read(Uint32Array.from(found, ({ row }) => row))))
          ?.lengths;
      for (const [i, { id, bytes }] of found.entries()) {
        const expected = patches === undefined ? 0 : (lengths?.[i] ?? 0) * 32;
        if (lengths === undefined && patches !== undefined) return;
        if ((bytes ?? 0) !== expected)
          this.#say('images', `'${id}' has ${bytes} bytes of boxes instead of ${expected}`);
      }
    }
  }

  /** Passages that were cut from a document must stand in it. */
  async #passagePlaces(): Promise<void> {
    const { connection } = this.#view;
    const wrong = await connection.all<{ id: string }>(
      `SELECT p.id FROM passages AS p LEFT JOIN documents AS d ON d.document = p.document
        WHERE (p.document IS NULL) <> (p.start IS NULL) OR (p.start IS NULL) <> (p."end" IS NULL)
          OR p.start < 0 OR p."end" < p.start OR p."end" > 2 * length(d.text) OR d.entity <> p.entity LIMIT ?`,
      [MOST_PROBLEMS],
    );
    for (const { id } of wrong) this.#say('passages', `'${id}' does not stand in its document`);
  }

  async #images(): Promise<void> {
    for (let last = ''; ; ) {
      // One file has one extension, which follows from its bytes.
      const found = await this.#view.connection.all<{ extension: string; file: string; bytes: number }>(
        `SELECT file, extension, bytes FROM images WHERE file > ? GROUP BY file ORDER BY file LIMIT ${IMAGES_PER_READ}`,
        [last],
      );
      if (found.length === 0) return;
      last = found.at(-1)!.file;
      for (const { extension, file, bytes } of found) {
        checkAborted(this.#signal);
        const path = this.#files.image(`${file}.${extension}`);
        const read = await hashOfFile(path).catch(() => undefined);
        this.#checked.images += 1;
        this.#checked.bytes += read?.bytes ?? 0;
        if (read === undefined) this.#say(path, 'is missing or cannot be read');
        else if (read.bytes !== bytes || read.sha256 !== file) this.#say(path, 'does not match its checksum');
      }
    }
  }

  async #findLeftovers(): Promise<void> {
    const { state, connection } = this.#view;
    for (const name of await readdir(this.#files.indexes).catch(() => [])) {
      if (name !== String(state.generation)) this.#leftovers.push(`${this.#files.indexes}/${name}`);
    }
    const staged = await connection.all('SELECT 1 FROM staged_boxes LIMIT 1');
    if (staged.length > 0) this.#leftovers.push('table staged_boxes');
    for await (const names of unnamedImages(this.#files, connection)) {
      checkAborted(this.#signal);
      for (const name of names) this.#leftovers.push(this.#files.image(name));
    }
  }

  async #guard<T>(where: string, read: () => Promise<T>): Promise<T | undefined> {
    try {
      return await read();
    } catch (error) {
      this.#say(where, (error as Error).message);
      return undefined;
    }
  }
}

async function hashOfFile(path: string): Promise<{ bytes: number; sha256: string }> {
  const handle = await open(path, 'r');
  try {
    const hash = createHash('sha256');
    const chunk = new Uint8Array(READ_CHUNK);
    let bytes = 0;
    for (;;) {
      const { bytesRead } = await handle.read(chunk, 0, chunk.length, bytes);
      if (bytesRead === 0) return { bytes, sha256: hash.digest('hex') };
      hash.update(chunk.subarray(0, bytesRead));
      bytes += bytesRead;
    }
  } finally {
    await handle.close();
  }
}
