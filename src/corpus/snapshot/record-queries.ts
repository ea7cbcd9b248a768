import type { Connection } from '../database/database-thread.js';
import type { Metadata } from '../records.js';
import type { CorpusFiles } from '../storage/corpus-files.js';
import type {
  DocumentHead,
  DocumentRecord,
  EntityRecord,
  ImageRecord,
  PassageRecord,
} from './stored-records.js';

/** Entities that `entities()` reads at once. */
const ENTITIES_PER_READ = 500;

const PASSAGE_COLUMNS = `p.id, e.id AS entityId, d.id AS documentId, p.text, p.start, p."end"`;
const PASSAGE_JOINS = `JOIN entities AS e ON e.entity = p.entity LEFT JOIN documents AS d ON d.document = p.document`;
const DOCUMENT_COLUMNS = `d.id, e.id AS entityId, d.title, d.metadata`;
const IMAGE_COLUMNS = `i.id, e.id AS entityId, i.file, i.extension, i.width, i.height, i.bytes`;
/** The first image of an entity is the one that has its id; others stand in the order in which they were given. */
const ENTITY_COLUMNS = `e.entity, e.id, e.title, e.metadata,
  (SELECT i.file || '.' || i.extension FROM images AS i WHERE i.entity = e.entity ORDER BY i.image LIMIT 1) AS image`;

interface PassageRow {
  readonly id: string;
  readonly entityId: string;
  readonly documentId: string | null;
  readonly text: string;
  readonly start: number | null;
  readonly end: number | null;
}

interface DocumentRow {
  readonly id: string;
  readonly entityId: string;
  readonly title: string | null;
  readonly metadata: string | null;
}

interface ImageRow {
  readonly id: string;
  readonly entityId: string;
  readonly file: string;
  readonly extension: string;
  readonly width: number;
  readonly height: number;
  readonly bytes: number;
}

interface EntityRow {
  readonly entity: number;
  readonly id: string;
  readonly title: string;
  readonly metadata: string | null;
  readonly image: string | null;
}

/** Reads records of a corpus, in the transaction of a connection. */
export class RecordQueries {
  readonly #connection: Connection;
  readonly #files: CorpusFiles;

  constructor(connection: Connection, files: CorpusFiles) {
    this.#connection = connection;
    this.#files = files;
  }

  /** @returns in the order of `rows`; a row without a passage is left out */
  async passagesOfRows(rows: readonly number[]): Promise<PassageRecord[]> {
    const found = await this.#connection.all<PassageRow>(
      `SELECT ${PASSAGE_COLUMNS} FROM json_each(?) AS j CROSS JOIN passages AS p ON p.row = j.value ${PASSAGE_JOINS} ORDER BY j.key`,
      [JSON.stringify(rows)],
    );
    return found.map(passageRecord);
  }

  async passage(id: string): Promise<PassageRecord | undefined> {
    const [found] = await this.#connection.all<PassageRow>(
      `SELECT ${PASSAGE_COLUMNS} FROM passages AS p ${PASSAGE_JOINS} WHERE p.id = ?`,
      [id],
    );
    return found && passageRecord(found);
  }

  async passagesOfDocument(id: string): Promise<PassageRecord[]> {
    const found = await this.#connection.all<PassageRow>(
      `SELECT ${PASSAGE_COLUMNS} FROM passages AS p ${PASSAGE_JOINS} WHERE d.id = ? ORDER BY p.passage`,
      [id],
    );
    return found.map(passageRecord);
  }

  async passagesOfEntity(id: string): Promise<PassageRecord[]> {
    const found = await this.#connection.all<PassageRow>(
      `SELECT ${PASSAGE_COLUMNS} FROM passages AS p ${PASSAGE_JOINS} WHERE e.id = ? ORDER BY p.passage`,
      [id],
    );
    return found.map(passageRecord);
  }

  async imagesOfEntity(id: string): Promise<ImageRecord[]> {
    const found = await this.#connection.all<ImageRow>(
      `SELECT ${IMAGE_COLUMNS} FROM images AS i JOIN entities AS e ON e.entity = i.entity
        WHERE e.id = ? ORDER BY i.image`,
      [id],
    );
    return found.map((image) => this.#imageRecord(image));
  }

  async document(id: string): Promise<DocumentRecord | undefined> {
    const [found] = await this.#connection.all<DocumentRow & { readonly text: string }>(
      `SELECT ${DOCUMENT_COLUMNS}, d.text
        FROM documents AS d JOIN entities AS e ON e.entity = d.entity WHERE d.id = ?`,
      [id],
    );
    return found && { ...documentHead(found), text: found.text };
  }

  /** @returns in the order of `ids`; an id without a document is left out */
  async documentHeads(ids: readonly string[]): Promise<DocumentHead[]> {
    const found = await this.#connection.all<DocumentRow>(
      `SELECT ${DOCUMENT_COLUMNS} FROM json_each(?) AS j CROSS JOIN documents AS d ON d.id = j.value
        JOIN entities AS e ON e.entity = d.entity ORDER BY j.key`,
      [JSON.stringify(ids)],
    );
    return found.map(documentHead);
  }

  /** @returns in the order of `rows`; a row without an image is left out */
  async imagesOfRows(rows: readonly number[]): Promise<ImageRecord[]> {
    const found = await this.#connection.all<ImageRow>(
      `SELECT ${IMAGE_COLUMNS} FROM json_each(?) AS j CROSS JOIN images AS i ON i.row = j.value
        JOIN entities AS e ON e.entity = i.entity ORDER BY j.key`,
      [JSON.stringify(rows)],
    );
    return found.map((image) => this.#imageRecord(image));
  }

  async image(id: string): Promise<ImageRecord | undefined> {
    const [found] = await this.#connection.all<ImageRow>(
      `SELECT ${IMAGE_COLUMNS} FROM images AS i JOIN entities AS e ON e.entity = i.entity WHERE i.id = ?`,
      [id],
    );
    return found && this.#imageRecord(found);
  }

  /** Places of the patches of image rows, 8 numbers each, row after row. */
  async boxesOfRows(rows: readonly number[]): Promise<Float32Array[]> {
    const found = await this.#connection.all<{ boxes: Uint8Array | null }>(
      'SELECT i.boxes FROM json_each(?) AS j CROSS JOIN images AS i ON i.row = j.value ORDER BY j.key',
      [JSON.stringify(rows)],
    );
    return found.map(
      ({ boxes }) => new Float32Array(boxes === null ? [] : (boxes.slice().buffer as ArrayBuffer)),
    );
  }

  async entity(id: string): Promise<EntityRecord | undefined> {
    const [found] = await this.#connection.all<EntityRow>(
      `SELECT ${ENTITY_COLUMNS} FROM entities AS e WHERE e.id = ?`,
      [id],
    );
    return found && this.#entityRecord(found);
  }

  /** @returns the entities of image rows, in the order of `rows` */
  async entitiesOfImageRows(rows: readonly number[]): Promise<EntityRecord[]> {
    const found = await this.#connection.all<EntityRow>(
      `SELECT ${ENTITY_COLUMNS} FROM json_each(?) AS j CROSS JOIN images AS o ON o.row = j.value
        JOIN entities AS e ON e.entity = o.entity ORDER BY j.key`,
      [JSON.stringify(rows)],
    );
    return found.map((entity) => this.#entityRecord(entity));
  }

  /** All entities, in the order in which they were added. */
  async *entities(): AsyncGenerator<EntityRecord> {
    for (let last = 0; ; ) {
      const found = await this.#connection.all<EntityRow>(
        `SELECT ${ENTITY_COLUMNS} FROM entities AS e WHERE e.entity > ? ORDER BY e.entity LIMIT ${ENTITIES_PER_READ}`,
        [last],
      );
      for (const entity of found) yield this.#entityRecord(entity);
      if (found.length < ENTITIES_PER_READ) return;
      last = found.at(-1)!.entity;
    }
  }

  #entityRecord({ id, title, image, metadata }: EntityRow): EntityRecord {
    return {
      id,
      title,
      ...(image !== null && { image: this.#files.image(image) }),
      ...metadataOf({ metadata }),
    };
  }

  #imageRecord({ id, entityId, file, extension, width, height, bytes }: ImageRow): ImageRecord {
    return {
      id,
      entityId,
      file: this.#files.image(`${file}.${extension}`),
      sha256: file,
      width,
      height,
      bytes,
    };
  }
}

function passageRecord({ id, entityId, documentId, text, start, end }: PassageRow): PassageRecord {
  return {
    id,
    entityId,
    text,
    ...(documentId !== null && { documentId }),
    ...(start !== null && end !== null && { start, end }),
  };
}

function documentHead({ id, entityId, title, metadata }: DocumentRow): DocumentHead {
  return { id, entityId, ...(title !== null && { title }), ...metadataOf({ metadata }) };
}

function metadataOf({ metadata }: { readonly metadata: string | null }): { readonly metadata?: Metadata } {
  return metadata === null ? {} : { metadata: JSON.parse(metadata) as Metadata };
}
