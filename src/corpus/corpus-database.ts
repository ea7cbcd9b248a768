import { join } from 'node:path';
import type Database from 'libsql';
import { GranuleError } from '../errors.js';
import type { Entity, Passage } from './records.js';

/** A file of vectors that is part of a corpus. */
export interface VectorFile {
  /** What it holds: 'entities' or 'passages'. */
  readonly name: string;
  /** Path relative to the corpus folder. */
  readonly file: string;
  readonly sha256: string;
}

/** The encoder that a corpus was built with. */
export interface EncoderRecord {
  readonly role: 'text' | 'image';
  readonly name: string;
  readonly version: string;
  readonly dimension: number;
  /** Numbers of a vector per patch; 0 where there are none. */
  readonly patchDimension: number;
  /** What the encoder learned from the corpus, where it learns. */
  readonly state: Uint8Array | undefined;
}

/** An entity as it is stored: its number, and its image as a path relative to the corpus folder. */
export interface StoredEntity extends Entity {
  readonly row: number;
}

/** 'GRNL': marks the file as a Granule corpus for tools that look at SQLite's application id. */
const APPLICATION_ID = 0x47524e4c;
const FORMAT_VERSION = 1;

const SCHEMA = `
  CREATE TABLE encoders (
    role TEXT PRIMARY KEY, name TEXT NOT NULL, version TEXT NOT NULL,
    dimension INTEGER NOT NULL, patch_dimension INTEGER NOT NULL, state BLOB
  ) STRICT;
  CREATE TABLE entities (
    row INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, title TEXT NOT NULL, image TEXT, metadata TEXT
  ) STRICT;
  CREATE TABLE passages (
    row INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE,
    entity INTEGER NOT NULL REFERENCES entities (row), text TEXT NOT NULL
  ) STRICT;
  CREATE INDEX passages_by_entity ON passages (entity);
  CREATE TABLE vector_files (name TEXT PRIMARY KEY, file TEXT NOT NULL, sha256 TEXT NOT NULL) STRICT;
`;

/** SQLite, loaded when the first corpus is opened: whoever only searches vectors never loads it. */
async function loadLibsql(): Promise<typeof Database> {
  return (await import('libsql')).default;
}

/** `corpus.sqlite`: entities, passages, metadata, encoders, and which vector files are current. */
export class CorpusDatabase {
  readonly #path: string;
  readonly #database: Database.Database;
  readonly #statements = new Map<string, Database.Statement>();

  private constructor(library: typeof Database, path: string) {
    this.#path = path;
    this.#database = new library(path);
  }

  /** Makes the database of a new corpus. */
  static async create(corpusFolder: string): Promise<CorpusDatabase> {
    const created = new CorpusDatabase(await loadLibsql(), join(corpusFolder, 'corpus.sqlite'));
    created.#database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON');
    created.#database.exec(
      `PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${FORMAT_VERSION}`,
    );
    created.#database.exec(SCHEMA);
    return created;
  }

  /**
   * Opens the database of an existing corpus. The file is known to exist.
   *
   * @throws GranuleError `CORPUS_INVALID` where it is not a corpus of this format
   */
  static async open(corpusFolder: string): Promise<CorpusDatabase> {
    const path = join(corpusFolder, 'corpus.sqlite');
    const library = await loadLibsql();
    return naming(path, () => {
      const opened = new CorpusDatabase(library, path);
      const { application_id: application } = opened.#database.prepare('PRAGMA application_id').get() as {
        application_id: number;
      };
      const { user_version: version } = opened.#database.prepare('PRAGMA user_version').get() as {
        user_version: number;
      };
      if (application !== APPLICATION_ID || version !== FORMAT_VERSION) {
        opened.#database.close();
        throw new GranuleError('CORPUS_INVALID', `${path} is not a corpus of format ${FORMAT_VERSION}`, {
          file: path,
        });
      }
      return opened;
    });
  }

  begin(): void {
    this.#database.exec('BEGIN IMMEDIATE');
  }

  commit(): void {
    this.#database.exec('COMMIT');
  }

  hasEntity(id: string): boolean {
    return this.#statement('SELECT 1 FROM entities WHERE id = ?').get(id) !== undefined;
  }

  hasPassage(id: string): boolean {
    return this.#statement('SELECT 1 FROM passages WHERE id = ?').get(id) !== undefined;
  }

  insertEntity({ row, id, title, image, metadata }: StoredEntity): void {
    this.#statement('INSERT INTO entities VALUES (?, ?, ?, ?, ?)').run(
      row,
      id,
      title,
      image ?? null,
      metadata === undefined ? null : JSON.stringify(metadata),
    );
  }

  insertPassage(id: string, entityRow: number, text: string): void {
    this.#statement('INSERT INTO passages (id, entity, text) VALUES (?, ?, ?)').run(id, entityRow, text);
  }

  /** Takes an entity out again, with its passages. */
  deleteEntity(row: number): void {
    this.#statement('DELETE FROM passages WHERE entity = ?').run(row);
    this.#statement('DELETE FROM entities WHERE row = ?').run(row);
  }

  insertEncoder({ role, name, version, dimension, patchDimension, state }: EncoderRecord): void {
    this.#statement('INSERT INTO encoders VALUES (?, ?, ?, ?, ?, ?)').run(
      role,
      name,
      version,
      dimension,
      patchDimension,
      state ?? null,
    );
  }

  insertVectorFile({ name, file, sha256 }: VectorFile): void {
    this.#statement('INSERT INTO vector_files VALUES (?, ?, ?)').run(name, file, sha256);
  }

  count(table: 'entities' | 'passages'): number {
    return (this.#statement(`SELECT count(*) AS n FROM ${table}`).get() as { n: number }).n;
  }

  /** Entities in row order; images as paths relative to the corpus folder. */
  *entities(): Generator<StoredEntity> {
    for (const row of this.#rows('SELECT row, id, title, image, metadata FROM entities ORDER BY row')) {
      const { image, metadata, ...rest } = row as {
        row: number;
        id: string;
        title: string;
        image: string | null;
        metadata: string | null;
      };
      yield {
        ...rest,
        ...(image !== null && { image }),
        ...(metadata !== null && { metadata: JSON.parse(metadata) }),
      };
    }
  }

  /** Passages in row order. */
  *passages(): Generator<Passage> {
    const sql = `SELECT passages.id AS id, entities.id AS entityId, text
      FROM passages JOIN entities ON entities.row = passages.entity ORDER BY passages.row`;
    for (const row of this.#rows(sql)) yield row as Passage;
  }

  encoders(): EncoderRecord[] {
    return [...this.#rows('SELECT * FROM encoders')].map((row) => {
      const {
        patch_dimension: patchDimension,
        state,
        ...rest
      } = row as {
        role: 'text' | 'image';
        name: string;
        version: string;
        dimension: number;
        patch_dimension: number;
        state: ArrayBuffer | null;
      };
      return { ...rest, patchDimension, state: state === null ? undefined : new Uint8Array(state) };
    });
  }

  vectorFiles(): VectorFile[] {
    return [...this.#rows('SELECT name, file, sha256 FROM vector_files')] as VectorFile[];
  }

  /**
   * Moves everything into the one file `corpus.sqlite`. Without a write-ahead log beside it, a finished corpus can be
   * copied as it is and read from a medium that forbids writing.
   */
  seal(): void {
    this.#statements.clear();
    this.#database.exec('PRAGMA wal_checkpoint(TRUNCATE)');
    this.#database.exec('PRAGMA journal_mode = DELETE');
  }

  close(): void {
    this.#statements.clear();
    this.#database.close();
  }

  #statement(sql: string): Database.Statement {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      statement = this.#database.prepare(sql);
      this.#statements.set(sql, statement);
    }
    return statement;
  }

  *#rows(sql: string): Generator<unknown> {
    const rows = naming(this.#path, () => this.#database.prepare(sql).iterate());
    for (;;) {
      const { done, value } = naming(this.#path, () => rows.next());
      if (done) return;
      yield value;
    }
  }
}

/** Runs `read` and turns SQLite's complaints about a damaged file into one error that names the file. */
function naming<T>(path: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    if (cause instanceof GranuleError) throw cause;
    throw new GranuleError(
      'CORPUS_INVALID',
      `${path} cannot be read: ${(cause as Error).message}`,
      { file: path },
      {
        cause,
      },
    );
  }
}
