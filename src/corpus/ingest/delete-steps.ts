import type { CorpusStateDraft } from '../database/corpus-state.js';
import type { SqlValue, Step } from '../database/database-thread.js';
import type { WriteTransaction } from '../storage/write-access.js';

/** Columns by which records are deleted together. */
type Key = 'entity' | 'document' | 'passage' | 'image';

/** A kind of record whose number the state counts. */
type Counted = 'entities' | 'documents' | 'passages' | 'images' | 'deadPassages' | 'deadImages';

interface CountedStep {
  readonly sql: string;
  readonly counts?: Counted;
}

const PASSAGES = (key: Key): CountedStep[] => [
  {
    sql: `INSERT INTO dead SELECT 'passages', row FROM passages WHERE ${key} = ? AND row IS NOT NULL`,
    counts: 'deadPassages',
  },
  { sql: `DELETE FROM passages WHERE ${key} = ?`, counts: 'passages' },
];

const IMAGES = (key: Key): CountedStep[] => [
  {
    sql: `INSERT INTO dead SELECT 'images', row FROM images WHERE ${key} = ? AND row IS NOT NULL`,
    counts: 'deadImages',
  },
  { sql: `INSERT OR IGNORE INTO orphans SELECT file || '.' || extension FROM images WHERE ${key} = ?` },
  { sql: `DELETE FROM images WHERE ${key} = ?`, counts: 'images' },
];

/** An entity that lost a part is not what its line says any more, so that the same line counts as a change. */
const FORGET_HASH = (key: 'document' | 'passage' | 'image'): CountedStep => ({
  sql: `UPDATE entities SET hash = '' WHERE entity = (SELECT entity FROM ${key}s WHERE ${key} = ?)`,
});

const STEPS: Readonly<Record<Key, readonly CountedStep[]>> = {
  entity: [
    ...PASSAGES('entity'),
    { sql: 'DELETE FROM documents WHERE entity = ?', counts: 'documents' },
    ...IMAGES('entity'),
    { sql: 'DELETE FROM entities WHERE entity = ?', counts: 'entities' },
  ],
  document: [
    FORGET_HASH('document'),
    ...PASSAGES('document'),
    { sql: 'DELETE FROM documents WHERE document = ?', counts: 'documents' },
  ],
  passage: [FORGET_HASH('passage'), ...PASSAGES('passage')],
  image: [FORGET_HASH('image'), ...IMAGES('image')],
};

/**
 * Deletes records and what hangs on them, at once within the transaction, and counts them in its state. Rows that had
 * vectors are dead from then on.
 *
 * @param keys - numbers of entities, documents, passages or images
 */
export async function deleteRecords(
  { connection, state }: WriteTransaction,
  kind: Key,
  keys: readonly number[],
): Promise<void> {
  if (keys.length === 0) return;
  const parameters = keys.map((key): SqlValue[] => [key]);
  const steps = STEPS[kind];
  const changes = await connection.run(steps.map(({ sql }): Step => ({ kind: 'many', sql, parameters })));
  for (const [i, { counts }] of steps.entries()) {
    if (counts !== undefined) count(state, counts, changes[i] as number);
  }
}

function count(state: CorpusStateDraft, counts: Counted, changes: number): void {
  state[counts] += counts === 'deadPassages' || counts === 'deadImages' ? changes : -changes;
}
