import { stat } from 'node:fs/promises';
import { pathToFileURL } from 'node:url';
import { GranuleError } from '../../errors.js';
import { APPLICATION_ID, FORMAT_VERSION } from './corpus-schema.js';
import type { Connection, DatabaseThread } from './database-thread.js';

/** How a corpus' database is read. */
export interface ReadablePath {
  /** A path, or a URI. */
  readonly path: string;
  /** Whether nothing can be written beside it, as on a medium that forbids writing. */
  readonly immutable: boolean;
}

/**
 * Opens the first connection for reading.
 *
 * Readers share a few files with the writers (`-wal`, `-shm`) and make them where there are none. Where they cannot, and no
 * log waits to be read, the file alone is the whole truth and is read as one that nobody changes.
 *
 * @throws GranuleError `CORPUS_INVALID` where it is no corpus of this format, or was left with a log that cannot be read here
 */
export async function openForReading(
  thread: DatabaseThread,
  file: string,
): Promise<ReadablePath & { readonly connection: Connection }> {
  try {
    const connection = await thread.open(file, file, 'read');
    await requireFormat(connection, file);
    return { path: file, immutable: false, connection };
  } catch (error) {
    if (!needsImmutable(error)) throw error;
    const log = await stat(`${file}-wal`).catch(() => undefined);
    if (log !== undefined && log.size > 0) {
      throw new GranuleError(
        'CORPUS_INVALID',
        `${file} was not closed after its last change; open it once where it may be written`,
        { file },
        { cause: error },
      );
    }
    const path = `${pathToFileURL(file).href}?immutable=1`;
    const connection = await thread.open(path, file, 'read');
    await requireFormat(connection, file);
    return { path, immutable: true, connection };
  }
}

function needsImmutable(error: unknown): boolean {
  if (!(error instanceof GranuleError)) return false;
  return /^SQLITE_(?:CANTOPEN|READONLY)/.test(String(error.details['sqlite']));
}

async function requireFormat(connection: Connection, file: string): Promise<void> {
  const [[application], [version]] = (await connection.run([
    { kind: 'all', sql: 'PRAGMA application_id', parameters: [] },
    { kind: 'all', sql: 'PRAGMA user_version', parameters: [] },
  ])) as [[{ application_id: number }], [{ user_version: number }]];
  if (application.application_id !== APPLICATION_ID) {
    throw new GranuleError('CORPUS_INVALID', `${file} is not the database of a corpus`, { file });
  }
  if (version.user_version !== FORMAT_VERSION) {
    throw new GranuleError(
      'CORPUS_INVALID',
      `${file} is a corpus of format ${version.user_version}; this version of Granule reads format ${FORMAT_VERSION}`,
      { file, format: version.user_version },
    );
  }
}
