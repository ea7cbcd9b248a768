import { randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, rename, rm, rmdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { GranuleError } from '../../errors.js';
import { syncFolder } from '../../files/durable-file.js';
import { APPLICATION_ID, FORMAT_VERSION, SCHEMA } from '../database/corpus-schema.js';
import { firstState, writeState } from '../database/corpus-state.js';
import { DatabaseThread } from '../database/database-thread.js';
import { type CorpusEncoders, writeEncoderRecord } from '../encoder-records.js';
import { CorpusFiles, isFree, unlessSystem } from './corpus-files.js';

/**
 * Makes the folder of an empty corpus. Everything is written to a hidden folder beside it, which takes its place at the
 * end: whatever happens before, `folder` is as it was.
 *
 * @throws GranuleError `CORPUS_EXISTS` where `folder` is there already and not empty; `FILE_NOT_WRITABLE`
 */
export async function createCorpusFolder(folder: string, encoders: CorpusEncoders): Promise<void> {
  if (!(await isFree(folder))) throw exists(folder);
  try {
    await mkdir(dirname(folder), { recursive: true });
    const shell = await mkdtemp(join(dirname(folder), `.${basename(folder)}.building-`));
    try {
      // The folder that is renamed has ordinary permissions; those of a temporary folder are private.
      const work = new CorpusFiles(join(shell, 'corpus'));
      for (const path of [work.folder, work.images, work.indexes]) await mkdir(path);
      await createDatabase(work, folder, encoders);
      await syncFolder(work.folder);
      await moveInto(folder, work.folder);
    } finally {
      await rm(shell, { recursive: true, force: true });
    }
  } catch (error) {
    throw unlessSystem(error, folder);
  }
}

async function createDatabase(
  { database }: CorpusFiles,
  folder: string,
  { textEncoder, imageEncoder }: CorpusEncoders,
): Promise<void> {
  const thread = new DatabaseThread();
  try {
    const connection = await thread.open(database, join(folder, basename(database)), 'write');
    // The first statement of all: it must come before the first table.
    await connection.exec('PRAGMA auto_vacuum = INCREMENTAL');
    await connection.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL');
    await connection.run([
      {
        kind: 'exec',
        sql: `BEGIN; PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${FORMAT_VERSION}`,
      },
      { kind: 'exec', sql: SCHEMA },
      writeState(firstState(randomUUID())),
      writeEncoderRecord('text', textEncoder, undefined),
      writeEncoderRecord('image', imageEncoder, undefined),
      { kind: 'exec', sql: 'COMMIT' },
    ]);
  } finally {
    // The last connection moves the log into the one file.
    await thread.end();
  }
}

async function moveInto(target: string, work: string): Promise<void> {
  try {
    await rmdir(target).catch(() => undefined);
    await rename(work, target);
  } catch (cause) {
    if (await isFree(target)) throw cause;
    throw exists(target, cause);
  }
  await syncFolder(dirname(target));
}

function exists(folder: string, cause?: unknown): GranuleError {
  return new GranuleError(
    'CORPUS_EXISTS',
    `${folder} already exists and is not empty`,
    { folder },
    { cause },
  );
}
