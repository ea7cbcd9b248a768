import { mkdir, readdir, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { syncFolder, writeDurably } from '../../files/durable-file.js';
import type { ImageFile } from '../image-file.js';
import { type CorpusFiles, unlessSystem } from './corpus-files.js';
import type { WriteAccess } from './write-access.js';

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
    for (const [name, image] of missing) {
      const path = files.image(name);
      if ((await mkdir(dirname(path), { recursive: true })) !== undefined) await syncFolder(files.images);
      await writeDurably(path, [image.bytes]);
    }
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

/** Names of all image files there are, and of what was left half written. */
export async function* imageFilesThere(files: CorpusFiles): AsyncGenerator<string> {
  for (const folder of await readdir(files.images).catch(() => [])) {
    yield* await readdir(join(files.images, folder)).catch(() => []);
  }
}
