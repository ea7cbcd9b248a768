import { readdir, rm } from 'node:fs/promises';
import type { GranuleError } from '../../errors.js';
import type { Connection } from '../database/database-thread.js';
import type { CorpusFiles } from './corpus-files.js';
import type { CorpusWriter } from './corpus-writer.js';
import { removeOrphans } from './image-files.js';
import type { WriteAccess } from './write-access.js';

/** What an opening found of an end that was not orderly, and put right. */
export interface CorpusRecovery {
  /** Rows that were committed, and that the index folders did not hold yet; also after an orderly end, if they are few. */
  readonly journalRows: number;
  /** Rows that the index folders held although it was not recorded. */
  readonly skippedJournalRows: number;
  /** Folders of rebuilds that did not come to their end, or whose former state was not deleted. */
  readonly deletedGenerations: number;
  /** Image files that no record named. */
  readonly orphanImages: number;
  /** The same in words; empty where there was nothing. */
  readonly messages: readonly string[];
}

/** What is deleted because nothing names it. */
export interface Leftovers {
  readonly deletedGenerations: number;
  readonly orphanImages: number;
}

/**
 * Deletes what former writers left behind. Where another writer is at work it is left to the next opening.
 *
 * @param connection - reads the current state
 */
export async function removeLeftovers(
  files: CorpusFiles,
  writer: CorpusWriter,
  connection: Connection,
  generation: number,
): Promise<Leftovers> {
  const none = { deletedGenerations: 0, orphanImages: 0 };
  const [listed] = await connection.all<{ n: number }>(
    'SELECT (SELECT count(*) FROM orphans) + (SELECT count(*) FROM staged_boxes) AS n',
  );
  if (listed!.n === 0 && (await otherGenerations(files, generation)).length === 0) return none;
  try {
    return await writer.change(async (access) => {
      const orphanImages = await removeOrphans(access);
      const deletedGenerations = await removeOtherGenerations(access);
      await access.transaction(async (transaction) => {
        transaction.add({ kind: 'exec', sql: 'DELETE FROM staged_boxes' });
      });
      return { deletedGenerations, orphanImages };
    });
  } catch (error) {
    if (['CORPUS_LOCKED', 'FILE_NOT_WRITABLE'].includes((error as GranuleError).code)) return none;
    throw error;
  }
}

/**
 * Deletes the folders of all generations but the current one. What cannot be deleted now is left to the next time.
 *
 * @returns how many
 */
export async function removeOtherGenerations(access: WriteAccess): Promise<number> {
  const { generation } = await access.state();
  const others = await otherGenerations(access.files, generation);
  const ends = await Promise.allSettled(
    others.map((other) => rm(access.files.generation(other), { recursive: true, force: true })),
  );
  return ends.filter(({ status }) => status === 'fulfilled').length;
}

/** The recovery in words. */
export function describeRecovery(
  { deletedGenerations, orphanImages }: Leftovers,
  journalRows: number,
  skippedJournalRows: number,
): CorpusRecovery {
  const messages: string[] = [];
  const say = (count: number, what: string) => {
    if (count > 0) messages.push(`${count} ${what}`);
  };
  say(journalRows, 'vectors were read from the journal');
  say(skippedJournalRows, 'vectors of the journal were in the index folders already');
  say(deletedGenerations, 'folders of indexes that are not current were deleted');
  say(orphanImages, 'image files that no record names were deleted');
  return { journalRows, skippedJournalRows, deletedGenerations, orphanImages, messages };
}

async function otherGenerations(files: CorpusFiles, generation: number): Promise<number[]> {
  const names = await readdir(files.indexes).catch(() => []);
  return names
    .filter((name) => /^[1-9]\d*$/.test(name))
    .map(Number)
    .filter((other) => other !== generation);
}
