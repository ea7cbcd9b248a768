import { GranuleError } from '../../errors.js';
import { type CorpusState, rowsOf, type Space } from '../database/corpus-state.js';
import type { Connection, SqlValue, Step } from '../database/database-thread.js';
import { type IndexSet, type RowVectors, SPACES } from './index-set.js';

/** Records that are read at once: a record is what one commit added, at most some hundred vectors. */
const RECORDS_PER_READ = 32;

interface JournalRecord {
  readonly row: number;
  readonly rows: number;
  readonly lengths: Uint8Array | null;
  readonly vectors: Uint8Array;
}

/** What a journal gave to indexes. */
export interface CaughtUp {
  /** Whether the indexes now hold all rows of the state: not so where rows have left the journal for the folders. */
  readonly complete: boolean;
  readonly journalRows: number;
  /** Rows of the journal that the folders held already. */
  readonly skippedRows: number;
}

/** Puts the vectors of new rows into the journal, and counts them in the state. */
export function journalSteps(added: readonly RowVectors[]): {
  steps: Step[];
  records: number;
  bytes: number;
} {
  const parameters = added.map(({ space, row, rows, vectors, lengths }): SqlValue[] => [
    space,
    row,
    rows,
    lengths === undefined ? null : bytesOf(lengths),
    bytesOf(vectors),
  ]);
  const steps: Step[] = [{ kind: 'many', sql: 'INSERT INTO journal VALUES (?, ?, ?, ?, ?)', parameters }];
  return {
    steps,
    records: added.length,
    bytes: added.reduce((sum, { vectors }) => sum + vectors.byteLength, 0),
  };
}

/** Forgets the rows that a folder holds. */
export function forgetSavedRows(space: Space, saved: number): Step {
  return {
    kind: 'run',
    sql: 'DELETE FROM journal WHERE space = ? AND row + rows <= ?',
    parameters: [space, saved],
  };
}

/** Reads how much the journal holds: one line of `records` and `bytes`. */
export const MEASURE_JOURNAL: Step = {
  kind: 'all',
  sql: 'SELECT count(*) AS records, coalesce(sum(length(vectors)), 0) AS bytes FROM journal',
  parameters: [],
};

/**
 * Adds to the indexes what they lack of a state.
 *
 * @param connection - in the transaction in which the state was read
 */
export async function catchUp(
  indexes: IndexSet,
  connection: Connection,
  state: CorpusState,
  file: string,
  signal: AbortSignal | undefined,
): Promise<CaughtUp> {
  let journalRows = 0;
  let skippedRows = 0;
  for (const space of SPACES) {
    if (!indexes.lacks(state, space)) continue;
    const all = rowsOf(state, space);
    for (let from = indexes.rows(space); from < all; from = indexes.rows(space)) {
      const records = await connection.all<JournalRecord>(
        `SELECT row, rows, lengths, vectors FROM journal
          WHERE space = ? AND row + rows > ? AND row < ? ORDER BY row LIMIT ${RECORDS_PER_READ}`,
        [space, from, all],
      );
      if (records.length === 0) return { complete: false, journalRows, skippedRows };
      for (const record of records) {
        const present = indexes.rows(space);
        if (!(await indexes.append(rowVectors(space, record, indexes.dimensions[space], file), signal)))
          return { complete: false, journalRows, skippedRows };
        const added = indexes.rows(space) - present;
        journalRows += added;
        skippedRows += record.rows - added;
      }
    }
  }
  return { complete: true, journalRows, skippedRows };
}

/** A record of the journal, checked. */
function rowVectors(space: Space, record: JournalRecord, dimension: number, file: string): RowVectors {
  const { row, rows } = record;
  const vectors = new Float32Array(aligned(record.vectors));
  const lengths = record.lengths === null ? undefined : new Uint32Array(aligned(record.lengths));
  const count = lengths?.reduce((sum, length) => sum + length, 0) ?? rows;
  if (
    vectors.length !== count * dimension ||
    (space === 'patches') !== (lengths !== undefined) ||
    (lengths !== undefined && lengths.length !== rows)
  ) {
    throw new GranuleError(
      'CORPUS_INVALID',
      `${file}: the journal's record of ${space} at row ${row} does not fit the encoder`,
      { file },
    );
  }
  return { space, row, rows, vectors, ...(lengths && { lengths }) };
}

function bytesOf({ buffer, byteOffset, byteLength }: Float32Array | Uint32Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

/** The bytes in a buffer of their own, cut to whole numbers of 4 bytes. */
function aligned(bytes: Uint8Array): ArrayBuffer {
  return bytes.slice(0, bytes.length - (bytes.length % 4)).buffer as ArrayBuffer;
}
