import { GranuleError } from '../../errors.js';
import type { WriteAccess } from '../storage/write-access.js';
import { deleteRecords } from './delete-steps.js';

/** What to delete, by its id. */
export type DeleteTarget =
  | { readonly entity: string }
  | { readonly document: string }
  | { readonly passage: string }
  | { readonly image: string };

const TABLES = { entity: 'entities', document: 'documents', passage: 'passages', image: 'images' } as const;

/** @returns whether there was such a thing */
export async function deleteFromCorpus(access: WriteAccess, target: DeleteTarget): Promise<boolean> {
  const [kind, id, ...rest] = Object.entries(target ?? {}).flat() as [
    keyof typeof TABLES,
    string,
    ...unknown[],
  ];
  if (rest.length > 0 || !Object.hasOwn(TABLES, kind ?? '') || typeof id !== 'string') {
    throw new GranuleError(
      'INVALID_ARGUMENT',
      "what to delete must be one of { entity }, { document }, { passage }, { image } with the thing's id",
    );
  }
  return access.transaction(async (transaction) => {
    const found = await transaction.connection.all<{ key: number }>(
      `SELECT ${kind} AS key FROM ${TABLES[kind]} WHERE id = ?`,
      [id],
    );
    await deleteRecords(
      transaction,
      kind,
      found.map(({ key }) => key),
    );
    return found.length > 0;
  });
}
