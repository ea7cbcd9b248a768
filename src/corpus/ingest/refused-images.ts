import type { GranuleError } from '../../errors.js';
import type { Connection, Step } from '../database/database-thread.js';
import type { WriteAccess } from '../storage/write-access.js';

/** An image that an encoder refuses. */
export interface RefusedImage {
  readonly sha256: string;
  readonly error: GranuleError;
}

/** SHA-256 of the images that the encoder, as it is now, refuses: a later encoding tries them again. */
export const REFUSED_FILES = `SELECT file FROM refused_images
  WHERE encoding = (SELECT value FROM state WHERE key = 'encoding')`;

/**
 * Records refusals, so that the images are not tried again with every change.
 *
 * @param encoding - the state's, in which the encoder refused them
 */
export function refusalSteps(encoding: number, refused: readonly RefusedImage[]): Step[] {
  if (refused.length === 0) return [];
  const parameters = refused.map(({ sha256, error }) => [sha256, encoding, error.message]);
  return [{ kind: 'many', sql: 'INSERT OR REPLACE INTO refused_images VALUES (?, ?, ?)', parameters }];
}

/** As `refusalSteps`, in a transaction of its own. */
export async function recordRefusals(access: WriteAccess, refused: readonly RefusedImage[]): Promise<void> {
  await access.transaction(async (transaction) => {
    transaction.add(...refusalSteps(transaction.state.encoding, refused));
  });
}

/** Lets the encoder try all of them again. */
export async function forgetRefusals(access: WriteAccess): Promise<void> {
  await access.transaction(async (transaction) => {
    const recorded = await transaction.connection.all('SELECT 1 FROM refused_images LIMIT 1');
    if (recorded.length > 0) transaction.add({ kind: 'exec', sql: 'DELETE FROM refused_images' });
  });
}

/** Those of the given images that the encoder refuses as it is now, with its reasons. */
export async function knownRefusals(
  connection: Connection,
  sha256s: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  if (sha256s.length === 0) return new Map();
  const found = await connection.all<{ file: string; message: string }>(
    `SELECT file, message FROM refused_images WHERE file IN (${REFUSED_FILES})
      AND file IN (SELECT value FROM json_each(?))`,
    [JSON.stringify(sha256s)],
  );
  return new Map(found.map(({ file, message }) => [file, message]));
}
