/** 'GRNL': marks the file as a Granule corpus for tools that look at SQLite's application id. */
export const APPLICATION_ID = 0x47524e4c;

/** Version of the tables below and of the folders beside them. */
export const FORMAT_VERSION = 2;

/** Writers make this table where there is none: format 2 began without it, and readers do without it. */
export const REFUSED_IMAGES_TABLE = `CREATE TABLE IF NOT EXISTS refused_images (
    file TEXT PRIMARY KEY, encoding INTEGER NOT NULL, message TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;`;

/**
 * The tables of a corpus.
 *
 * - `state`: one line per field of `CorpusState`
 * - `row`: where the vector of a passage or an image stands in its index; NULL until it is encoded
 * - `hash` of an entity: of its whole line and its images' bytes; of an encoder: of its state
 * - `images.boxes`: places of the patches, 8 float32 each; `file`: SHA-256 of the file, in hexadecimal
 * - `journal`: vectors that the index folders may not hold yet, float32, `rows` rows from `row` on; `lengths`: vectors per row,
 *   uint32, in space 'patches'
 * - `dead`: rows of what was deleted, in space 'passages' or 'images' (patches share the images' rows)
 * - `orphans`: image files, `<sha256>.<extension>`, that perhaps no record names
 * - `refused_images`: SHA-256 of image files that the encoder refused, in which `encoding` of the state, and why
 * - `staged_boxes`: what will become `boxes` when a re-encoding ends
 *
 * Filters find rows in the indexes by entity and by document alone: the pages of the tables are full of texts.
 */
export const SCHEMA = `
  CREATE TABLE state (key TEXT PRIMARY KEY, value ANY NOT NULL) STRICT;
  CREATE TABLE encoders (
    role TEXT PRIMARY KEY, name TEXT NOT NULL, version TEXT NOT NULL, hash TEXT,
    dimension INTEGER NOT NULL, patch_dimension INTEGER NOT NULL, state BLOB, spec TEXT
  ) STRICT;
  CREATE TABLE entities (
    entity INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, title TEXT NOT NULL, metadata TEXT, hash TEXT NOT NULL
  ) STRICT;
  CREATE TABLE documents (
    document INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, entity INTEGER NOT NULL REFERENCES entities (entity),
    title TEXT, text TEXT NOT NULL, metadata TEXT, hash TEXT NOT NULL
  ) STRICT;
  CREATE INDEX documents_by_entity ON documents (entity);
  CREATE INDEX documents_with_metadata ON documents (entity) WHERE metadata IS NOT NULL;
  CREATE TABLE passages (
    passage INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, entity INTEGER NOT NULL REFERENCES entities (entity),
    document INTEGER REFERENCES documents (document), text TEXT NOT NULL, start INTEGER, "end" INTEGER,
    row INTEGER UNIQUE
  ) STRICT;
  CREATE INDEX passages_by_entity ON passages (entity, document, row);
  CREATE INDEX passages_by_document ON passages (document, row) WHERE document IS NOT NULL;
  CREATE INDEX passages_without_row ON passages (passage) WHERE row IS NULL;
  CREATE TABLE images (
    image INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, entity INTEGER NOT NULL REFERENCES entities (entity),
    file TEXT NOT NULL, extension TEXT NOT NULL, width INTEGER NOT NULL, height INTEGER NOT NULL,
    bytes INTEGER NOT NULL, boxes BLOB, row INTEGER UNIQUE
  ) STRICT;
  CREATE INDEX images_by_entity ON images (entity, row);
  CREATE INDEX images_by_file ON images (file);
  CREATE INDEX images_without_row ON images (image) WHERE row IS NULL;
  CREATE TABLE journal (
    space TEXT NOT NULL, row INTEGER NOT NULL, rows INTEGER NOT NULL, lengths BLOB, vectors BLOB NOT NULL,
    PRIMARY KEY (space, row)
  ) STRICT;
  CREATE TABLE dead (space TEXT NOT NULL, row INTEGER NOT NULL, PRIMARY KEY (space, row)) STRICT, WITHOUT ROWID;
  CREATE TABLE orphans (file TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;
  CREATE TABLE staged_boxes (image INTEGER PRIMARY KEY, boxes BLOB NOT NULL) STRICT;
  ${REFUSED_IMAGES_TABLE}
`;
