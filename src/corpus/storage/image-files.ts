import { mkdir, readdir, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { syncFolder, writeDurably } from '../../files/durable-file.js';
import type { Connection } from '../database/database-thread.js';
import type { ImageFile } from '../image-file.js';
import { type CorpusFiles, unlessSystem } from './corpus-files.js';
import type { WriteAccess } from './write-access.js';

const WRITTEN_AT_ONCE = 8;
/** Image files that are looked up at once. */
const FILES_PER_QUERY = 500;

/** Name of an image in the folder of images. */
export function imageName({ sha256, extension }: Pick<ImageFile, 'sha256' | 'extension'>): string {
  return `${sha256}.${extension}`;
}

/**
 * Writes images that are not there yet. They count as orphans until a record names them, so that a crash before that
 * leaves nothing for ever.
 *
 * @throws GranuleError `FILE_NOT_WRITABLE`
 */
export async function writeImages(access: WriteAccess, images: readonly ImageFile[]): Promise<void> {
  const { files } = access;
  const missing = new Map<string, ImageFile>();
  for (const image of images) {
    const name = imageName(image);
    const there = await stat(files.image(name)).catch(() => undefined);
    if (there?.size !== image.bytes.length) missing.set(name, image);
  }
  if (missing.size === 0) return;
  await access.transaction(async (transaction) => {
    const parameters = [...missing.keys()].map((name) => [name]);
    transaction.add({ kind: 'many', sql: 'INSERT OR IGNORE INTO orphans VALUES (?)', parameters });
  });
  try {
    const folders = new Set([...missing.keys()].map((name) => dirname(files.image(name))));
    const made = await Promise.all([...folders].map((folder) => mkdir(folder, { recursive: true })));
    if (made.some((folder) => folder !== undefined)) await syncFolder(files.images);
    const waiting = [...missing];
    const writeSome = async () => {
      for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
        await writeDurably(files.image(next[0]), [next[1].bytes]);
      }
    };
    // A disk writes several files at once, and nobody is left writing when one of them fails.
    const ends = await Promise.allSettled(Array.from({ length: WRITTEN_AT_ONCE }, writeSome));
    for (const end of ends) if (end.status === 'rejected') throw end.reason;
  } catch (error) {
    throw unlessSystem(error, files.folder);
  }
}

/**
 * Deletes the image files that are listed as orphans and that no record names.
 *
 * @returns how many
 */
export async function removeOrphans(access: WriteAccess): Promise<number> {
  const { connection, files } = access;
  const listed = await connection.all<{ file: string; named: number }>(
    `SELECT o.file, EXISTS (
        SELECT 1 FROM images AS i WHERE i.file = substr(o.file, 1, 64) AND i.file || '.' || i.extension = o.file
      ) AS named FROM orphans AS o`,
  );
  if (listed.length === 0) return 0;
  const orphans = listed.filter(({ named }) => named === 0).map(({ file }) => file);
  let removed = 0;
  for (const name of orphans) {
    const path = files.image(name);
    if ((await stat(path).catch(() => undefined)) !== undefined) removed += 1;
    await rm(path, { force: true });
    await rm(`${path}.tmp`, { force: true });
  }
  await access.transaction(async (transaction) => {
    transaction.add({ kind: 'exec', sql: 'DELETE FROM orphans' });
  });
  return removed;
}

/** Image files that no record names, and what was left half written: their names, list by list. */
export async function* unnamedImages(files: CorpusFiles, connection: Connection): AsyncGenerator<string[]> {
  for await (const names of imageFilesThere(files)) {
    const unnamed = await connection.all<{ name: string }>(
      `SELECT j.value AS name FROM json_each(?) AS j WHERE NOT EXISTS (
        SELECT 1 FROM images AS i WHERE i.file = substr(j.value, 1, 64) AND i.file || '.' || i.extension = j.value)`,
      [JSON.stringify(names)],
    );
    if (unnamed.length > 0) yield unnamed.map(({ name }) => name);
  }
}

async function* imageFilesThere(files: CorpusFiles): AsyncGenerator<string[]> {
  for (const folder of await readdir(files.images).catch(() => [])) {
    const names = await readdir(join(files.images, folder)).catch(() => []);
    for (let i = 0; i < names.length; i += FILES_PER_QUERY) yield names.slice(i, i + FILES_PER_QUERY);
  }
}
