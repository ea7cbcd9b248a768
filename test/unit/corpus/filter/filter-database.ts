import Database from 'libsql';
import { type FilterSpace, filterSql } from '../../../../src/corpus/filter/filter-sql.js';
import type { ParsedFilter } from '../../../../src/corpus/filter/metadata-filter.js';
import type { Metadata } from '../../../../src/corpus/records.js';

/** The columns of a corpus that filters read. */
const SCHEMA = `
  CREATE TABLE entities (entity INTEGER PRIMARY KEY, metadata TEXT) STRICT;
  CREATE TABLE documents (document INTEGER PRIMARY KEY, entity INTEGER NOT NULL, metadata TEXT) STRICT;
  CREATE TABLE passages (passage INTEGER PRIMARY KEY, entity INTEGER NOT NULL, document INTEGER, row INTEGER UNIQUE) STRICT;
  CREATE TABLE images (image INTEGER PRIMARY KEY, entity INTEGER NOT NULL, row INTEGER UNIQUE) STRICT;
`;

/** A small corpus in memory: every entity and document that is added gets a passage, every entity an image. */
export class FilterDatabase {
  readonly #database = new Database(':memory:');
  #rows = 0;

  constructor() {
    this.#database.exec(SCHEMA);
  }

  /** Adds an entity with a passage of its own and an image, and one passage per document; returns the rows of passages. */
  add(entity: Metadata | undefined, documents: readonly (Metadata | undefined)[] = []) {
    const { lastInsertRowid: key } = this.#run('INSERT INTO entities (metadata) VALUES (?)', text(entity));
    const own = this.#rows++;
    this.#run('INSERT INTO passages (entity, row) VALUES (?, ?)', key, own);
    this.#run('INSERT INTO images (entity, row) VALUES (?, ?)', key, own);
    const ofDocuments = documents.map((metadata) => {
      const inserted = this.#run(
        'INSERT INTO documents (entity, metadata) VALUES (?, ?)',
        key,
        text(metadata),
      );
      const row = this.#rows++;
      const document = inserted.lastInsertRowid;
      this.#run('INSERT INTO passages (entity, document, row) VALUES (?, ?, ?)', key, document, row);
      this.#run('INSERT INTO passages (entity, document) VALUES (?, ?)', key, document);
      return row;
    });
    return { own, ofDocuments };
  }

  /** The rows that a filter's query finds, sorted. */
  rows(filter: ParsedFilter, space: FilterSpace = 'passages'): number[] {
    const { sql, parameters } = filterSql(filter, space);
    const found = this.#database.prepare(sql).all(parameters) as { row: number }[];
    return found.map(({ row }) => row).toSorted((a, b) => a - b);
  }

  close(): void {
    this.#database.close();
  }

  #run(sql: string, ...values: unknown[]) {
    return this.#database.prepare(sql).run(values);
  }
}

function text(metadata: Metadata | undefined): string | null {
  return metadata === undefined ? null : JSON.stringify(metadata);
}
