import { GranuleError } from '../../errors.js';
import type { CorpusStateDraft } from '../database/corpus-state.js';
import type { SqlValue, Step } from '../database/database-thread.js';
import type { PreparedDocument, PreparedPassage } from './prepared-line.js';

/** Documents of an entity and passages, as values of their tables' columns. */
export interface TextRecords {
  readonly documents: readonly SqlValue[][];
  readonly passages: readonly SqlValue[][];
}

/**
 * Numbers documents and passages of an entity, and counts them in the state.
 *
 * @param entity - the entity's number
 * @param encoded - whether the passages have vectors, and so get rows
 */
export function textRecords(
  state: CorpusStateDraft,
  entity: number,
  documents: readonly PreparedDocument[],
  passages: readonly PreparedPassage[],
  encoded: boolean,
): TextRecords {
  const firstDocument = state.nextDocument;
  state.nextDocument += documents.length;
  state.documents += documents.length;
  state.passages += passages.length;
  return {
    documents: documents.map(({ id, title, text, metadata, hash }, i) => [
      firstDocument + i,
      id,
      entity,
      title ?? null,
      text,
      metadata ?? null,
      hash,
    ]),
    passages: passages.map(({ id, text, from }) => {
      const row = encoded ? state.passageRows++ : null;
      const place = from
        ? [firstDocument + from.document, text, from.start, from.end]
        : [null, text, null, null];
      return [state.nextPassage++, id, entity, ...place, row];
    }),
  };
}

/** Inserts records; no step where there are none. */
export function insertSteps(table: string, rows: readonly (readonly SqlValue[])[]): Step[] {
  if (rows.length === 0) return [];
  const sql = `INSERT INTO ${table} VALUES (${rows[0]!.map(() => '?').join(', ')})`;
  return [{ kind: 'many', sql, parameters: rows }];
}

/** An id that another entity has, or that a line names twice. */
export interface Clash {
  readonly table: 'passages' | 'documents' | 'images';
  readonly id: string;
  /** The id of the entity that has it. */
  readonly owner: string;
}

export function duplicateId({ table, id, owner }: Clash): GranuleError {
  const what = table.slice(0, -1);
  return new GranuleError('DUPLICATE_ID', `${what} id '${id}' is taken already, by the entity '${owner}'`, {
    id,
    owner,
  });
}
