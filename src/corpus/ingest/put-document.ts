import { GranuleError } from '../../errors.js';
import { parseCorpusLine } from '../corpus-line.js';
import type { CorpusEncoders } from '../encoder-records.js';
import type { LineDocument, Metadata } from '../records.js';
import type { WriteAccess, WriteTransaction } from '../storage/write-access.js';
import type { ReadyEncoders } from './batch-encoder.js';
import { encodeTexts } from './checked-encoding.js';
import { deleteRecords } from './delete-steps.js';
import { type PutOutcome, putLine } from './ingest-source.js';
import { checkAborted } from './line-batches.js';
import { storedParts } from './prepared-line.js';
import { type Clash, duplicateId, insertSteps, textRecords } from './record-steps.js';

/** The entity that a document is about. */
export interface DocumentEntity {
  readonly id: string;
  /** Needed where the entity is new; default: the title that it has. */
  readonly title?: string | undefined;
}

interface StoredEntity {
  readonly key: number;
  readonly title: string;
}

interface StoredDocument {
  readonly key: number;
  readonly id: string;
  readonly title: string | null;
  readonly text: string;
  readonly metadata: string | null;
  readonly hash: string;
  readonly passages: number;
}

/**
 * Stores one document of an entity and leaves the rest of the entity as it is stored. Where the entity gets another title, its
 * documents without one of their own are split anew, since the title heads their passages.
 *
 * @param access - holds the lock, so that what is read here is still so when it is written
 */
export async function putDocument(
  access: WriteAccess,
  entity: DocumentEntity,
  document: LineDocument,
  encoders: CorpusEncoders,
  ready: ReadyEncoders,
  signal: AbortSignal | undefined,
): Promise<PutOutcome> {
  checkAborted(signal);
  const lineOf = (title: string, documents: readonly unknown[]) =>
    parseCorpusLine({ entity: { id: entity?.id, title }, documents });
  const given = lineOf(entity?.title ?? entity?.id, [document]);
  const { id } = given.entity;
  const [stored] = await access.connection.all<StoredEntity>(
    'SELECT entity AS key, title FROM entities WHERE id = ?',
    [id],
  );
  const title = entity.title ?? stored?.title;
  if (title === undefined) {
    throw new GranuleError('INVALID_ARGUMENT', `the entity '${id}' is new: its title is needed`, { id });
  }
  if (stored === undefined) {
    return putLine(access, { entity: { id, title }, documents: [document] }, encoders, ready, signal);
  }

  const [{ id: documentId }] = given.documents as [LineDocument];
  const existing = await storedDocuments(access, stored.key);
  const former = existing.find((other) => other.id === documentId);
  const headedAnew = existing.filter((other) => other.title === null && other.id !== documentId);
  const replaced = stored.title === title ? [] : headedAnew;
  const parts = storedParts(lineOf(title, [...replaced.map(asGiven), ...given.documents]));
  const isSame =
    stored.title === title &&
    former?.hash === parts.documents[0]?.hash &&
    former?.passages === parts.passages.length;
  if (isSame) return 'unchanged';

  const texts = parts.passages.map(({ text }) => text);
  const vectors = ready.text ? await encodeTexts(encoders.textEncoder, texts, signal) : undefined;
  const gone = former === undefined ? replaced : [...replaced, former];
  await access.transaction(async (transaction) => {
    const { state } = transaction;
    const row = state.passageRows;
    await deleteRecords(
      transaction,
      'document',
      gone.map(({ key }) => key),
    );
    await requireFree(transaction, 'documents', parts.documents);
    await requireFree(transaction, 'passages', parts.passages);
    const records = textRecords(state, stored.key, parts.documents, parts.passages, vectors !== undefined);
    transaction.add(
      // The entity is not what its line says any more, so that the same line counts as a change.
      {
        kind: 'run',
        sql: "UPDATE entities SET title = ?, hash = '' WHERE entity = ?",
        parameters: [title, stored.key],
      },
      ...insertSteps('documents', records.documents),
      ...insertSteps('passages', records.passages),
    );
    if (vectors !== undefined) transaction.addRows({ space: 'passages', row, rows: texts.length, vectors });
  });
  return former === undefined ? 'added' : 'replaced';
}

function storedDocuments({ connection }: WriteAccess, entity: number): Promise<StoredDocument[]> {
  return connection.all<StoredDocument>(
    `SELECT d.document AS key, d.id, d.title, d.text, d.metadata, d.hash,
        (SELECT count(*) FROM passages AS p WHERE p.document = d.document) AS passages
      FROM documents AS d WHERE d.entity = ? ORDER BY d.document`,
    [entity],
  );
}

/** A document without a title as a line gives it. */
function asGiven({ id, text, metadata }: StoredDocument): LineDocument {
  return { id, text, ...(metadata !== null && { metadata: JSON.parse(metadata) as Metadata }) };
}

/** @throws GranuleError `DUPLICATE_ID` where one of the ids is taken */
async function requireFree(
  { connection }: WriteTransaction,
  table: Clash['table'],
  records: readonly { readonly id: string }[],
): Promise<void> {
  const [taken] = await connection.all<{ id: string; owner: string }>(
    `SELECT t.id, e.id AS owner FROM json_each(?) AS j CROSS JOIN ${table} AS t ON t.id = j.value
      JOIN entities AS e ON e.entity = t.entity LIMIT 1`,
    [JSON.stringify(records.map(({ id }) => id))],
  );
  if (taken !== undefined) throw duplicateId({ table, ...taken });
}
