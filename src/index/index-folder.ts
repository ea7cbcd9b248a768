/**
 * The folder of an index on disk: what may lie in it, what its manifest says, and the end of what no manifest names.
 *
 * @module
 */
import { createHash, randomBytes } from 'node:crypto';
import { type FileHandle, open, readdir, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { GranuleError } from '../errors.js';
import {
  type IndexManifest,
  MANIFEST_FILE,
  parseManifest,
  REMOVED_NAME,
  SEGMENT_NAME,
  type StoredManifest,
} from './index-manifest.js';

/** Held by whoever saves. */
export const LOCK_FILE = '.lock';

const PARTIAL_NAME = /^(?:manifest\.json|removed-[0-9]{1,16}-[0-9a-f]{16}\.bin)\.[0-9a-f]{16}\.tmp$/;
const MOST_MANIFEST_BYTES = 1 << 26;
const READ_CHUNK = 1 << 17;

/** Names for new files, which no other save has used or will use. */
export const newNames = {
  segment: (generation: number): string => `segment-${generation}-${unique()}.safetensors`,
  removed: (generation: number): string => `removed-${generation}-${unique()}.bin`,
  partial: (file: string): string => `${file}.${unique()}.tmp`,
};

/** Whether a file in the folder of an index belongs to an index. */
export function isOwnName(name: string): boolean {
  return name === MANIFEST_FILE || name === LOCK_FILE || isReplaceable(name);
}

/**
 * The manifest of a folder; undefined where the folder or the manifest does not exist.
 *
 * @throws GranuleError `INDEX_CORRUPT`, `INDEX_VERSION_UNSUPPORTED`; errors of the system
 */
export async function readManifest(folder: string): Promise<StoredManifest | undefined> {
  const bytes = await readWhole(join(folder, MANIFEST_FILE), MOST_MANIFEST_BYTES).catch((error: unknown) => {
    if (isAbsent(error)) return undefined;
    throw error;
  });
  return bytes && parseManifest(bytes.data);
}

/**
 * Deletes what the present manifest does not name: files of former states and of saves that did not come to an end. What
 * cannot be deleted is left to the next save.
 */
export async function deleteUnnamed(folder: string): Promise<void> {
  try {
    const names = (await readdir(folder)).filter(isReplaceable);
    const named = filesOf((await readManifest(folder))?.manifest);
    const gone = names.filter((name) => !named.has(name));
    await Promise.allSettled(gone.map((name) => unlink(join(folder, name))));
  } catch {
    // Without a manifest that can be read, nothing says what may go.
  }
}

/** Names of the files that a manifest lists. */
export function filesOf(manifest: IndexManifest | undefined): Set<string> {
  const removed = manifest?.removed ? [manifest.removed.file] : [];
  return new Set([...(manifest?.segments ?? []).map(({ file }) => file), ...removed]);
}

/** A file's content and its SHA-256, read in pieces, so that hashing never holds the event loop for long. */
export async function readWhole(
  path: string,
  mostBytes: number,
): Promise<{ data: Uint8Array; sha256: string }> {
  const handle = await open(path, 'r');
  try {
    const { size } = await handle.stat();
    return await readStart(handle, Math.min(size, mostBytes));
  } finally {
    await handle.close();
  }
}

/** The first bytes of a file, fewer where it ends before, and their SHA-256. */
export async function readStart(
  handle: FileHandle,
  bytes: number,
): Promise<{ data: Uint8Array; sha256: string }> {
  const data = new Uint8Array(bytes);
  const hash = createHash('sha256');
  let done = 0;
  while (done < bytes) {
    const { bytesRead } = await handle.read(data, done, Math.min(READ_CHUNK, bytes - done), done);
    if (bytesRead === 0) break;
    hash.update(data.subarray(done, done + bytesRead));
    done += bytesRead;
  }
  return { data: data.subarray(0, done), sha256: hash.digest('hex') };
}

/** Whether an error of the system says that there is no such file. */
export function isAbsent(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'ENOENT' || code === 'ENOTDIR';
}

/**
 * An error for callers instead of one of the system; others are theirs already.
 *
 * @param doing - what could not be done
 */
export function unlessOfSystem(
  error: unknown,
  code: 'FILE_NOT_FOUND' | 'FILE_NOT_WRITABLE',
  doing: string,
  folder: string,
): unknown {
  const { syscall, message } = error as NodeJS.ErrnoException;
  if (error instanceof GranuleError || syscall === undefined) return error;
  return new GranuleError(code, `cannot ${doing} ${folder}: ${message}`, { file: folder }, { cause: error });
}

function isReplaceable(name: string): boolean {
  return [SEGMENT_NAME, REMOVED_NAME, PARTIAL_NAME].some((pattern) => pattern.test(name));
}

function unique(): string {
  return randomBytes(8).toString('hex');
}
