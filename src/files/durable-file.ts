import { open, rename } from 'node:fs/promises';
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
