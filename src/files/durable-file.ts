import { randomBytes } from 'node:crypto';
import { open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Most bytes handed to one write call, so that hashing beside it never holds the event loop for long. */
const CHUNK = 1 << 18;

/**
 * Writes a file so that after a crash either the whole file or what was there before is there: to `partial`, flushed to
 * the disk, renamed, and the folder flushed.
 *
 * @param parts - the contents, in order
 * @param onChunk - sees every chunk as it is written, for a checksum
 * @param partial - a path in the same folder
 */
export async function writeDurably(
  path: string,
  parts: Iterable<Uint8Array>,
  onChunk?: (chunk: Uint8Array) => void,
  partial = `${path}.tmp`,
): Promise<void> {
  const handle = await open(partial, 'w');
  try {
    for (const part of parts) {
      for (let start = 0; start < part.length; start += CHUNK) {
        const chunk = part.subarray(start, start + CHUNK);
        onChunk?.(chunk);
        await handle.writeFile(chunk);
      }
    }
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(partial, path);
  await syncFolder(dirname(path));
}

/** As {@link writeDurably}, for a file that several may write at once: the last one's stays, whole, and nothing of one that fails. */
export async function replaceDurably(path: string, parts: Iterable<Uint8Array>): Promise<void> {
  const partial = `${path}.${randomBytes(8).toString('hex')}.tmp`;
  try {
    await writeDurably(path, parts, undefined, partial);
  } catch (error) {
    await rm(partial, { force: true }).catch(() => undefined);
    throw error;
  }
}

/** Flushes the names in a folder to the disk; Windows has no such call and needs none. */
export async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
