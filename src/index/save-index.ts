import { createHash, randomUUID } from 'node:crypto';
import { mkdir, readdir } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { GranuleError } from '../errors.js';
import { syncFolder, writeDurably } from '../files/durable-file.js';
import type { NativeStore } from '../native/addon-types.js';
import { loadAddon } from '../native/load-addon.js';
import type { NativeCancelToken } from '../native/native-cancel-token.js';
import {
  deleteUnnamed,
  filesOf,
  isOwnName,
  LOCK_FILE,
  newNames,
  readManifest,
  unlessOfSystem,
} from './index-folder.js';
import {
  type IndexFacts,
  type IndexManifest,
  MANIFEST_FILE,
  type ManifestRemoved,
  type ManifestSegment,
  type StoredManifest,
  serialiseManifest,
} from './index-manifest.js';

/** Options of `save`. */
export interface SaveOptions {
  /** Replace another index that is in the folder, at once and as a whole. Off by default. */
  readonly overwrite?: boolean | undefined;
  /** Stops the save, or takes it out of the queue; the folder then keeps the state that it had. */
  readonly signal?: AbortSignal | undefined;
}

/** What `save` left in the folder. */
export interface SaveReport {
  /** Rows in the folder, removed ones included. */
  readonly rows: number;
  /** Segment files. */
  readonly files: number;
  /** Bytes of the files that make up the index. */
  readonly bytes: number;
  /** Segment files among them that this save wrote. */
  readonly filesWritten: number;
}

/** The folder's state that an index was opened from, or last saved as. */
export interface SavedState extends StoredManifest {
  /** Whether the rows of its segments are still the first rows of the index: not so after a compaction. */
  readonly isPrefix: boolean;
}

/** What a save needs of the index's life. */
export interface SaveCall<T extends NativeStore> {
  readonly native: T;
  readonly cancel: NativeCancelToken;
  /** Throws where the save is to stop. */
  readonly checkpoint: () => void;
}

/**
 * Saves an index. The new state is there when its manifest has taken the place of the former one; whatever happens before
 * leaves the former state, and perhaps files that no manifest names, which the next save deletes.
 *
 * @throws GranuleError `INDEX_EXISTS`, `INDEX_LOCKED`, `INDEX_CORRUPT`, `INDEX_VERSION_UNSUPPORTED`, `FILE_NOT_WRITABLE`,
 * `ABORTED`, `OUT_OF_MEMORY`, `INDEX_DISPOSED`
 */
export async function saveIndex<T extends NativeStore>(
  call: SaveCall<T>,
  facts: IndexFacts,
  saved: SavedState | undefined,
  folder: string,
  overwrite: boolean,
): Promise<{ report: SaveReport; saved: SavedState }> {
  const path = resolve(folder);
  try {
    await makeFolder(path);
    refuseForeign(path, await readdir(path));
    const lock = new (loadAddon().FileLock)();
    await acquireLock(lock, path);
    try {
      return await saveLocked(call, facts, saved, path, overwrite);
    } finally {
      lock.release();
    }
  } catch (error) {
    throw unlessOfSystem(error, 'FILE_NOT_WRITABLE', 'save to', path);
  }
}

async function saveLocked<T extends NativeStore>(
  call: SaveCall<T>,
  facts: IndexFacts,
  saved: SavedState | undefined,
  folder: string,
  overwrite: boolean,
): Promise<{ report: SaveReport; saved: SavedState }> {
  call.checkpoint();
  const there = await stateToContinue(folder, saved, overwrite);
  const base = saved?.isPrefix ? there?.manifest : undefined;
  const { rows, removed } = call.native;
  if (there && base?.rows === rows && (base.removed?.count ?? 0) === removed) {
    await deleteUnnamed(folder);
    return { report: reportOf(base, 0), saved: { ...there, isPrefix: true } };
  }
  try {
    const generation = (there?.manifest.generation ?? 0) + 1;
    const segments = await writeSegments(call, folder, generation, base);
    const manifest: IndexManifest = {
      ...facts,
      id: there?.manifest.id ?? randomUUID(),
      generation,
      rows,
      vectors:
        facts.kind === 'sparse' ? undefined : segments.reduce((sum, { vectors = 0 }) => sum + vectors, 0),
      segments,
      removed: removed === 0 ? null : await writeRemoved(call, folder, generation, rows, removed),
    };
    // The names of the new files must be on the disk before a manifest relies on them.
    await syncFolder(folder);
    call.checkpoint();
    const { text, checksum } = serialiseManifest(manifest);
    const partial = join(folder, newNames.partial(MANIFEST_FILE));
    await writeDurably(join(folder, MANIFEST_FILE), [Buffer.from(text)], undefined, partial);
    const filesWritten = segments.length - (base?.segments.length ?? 0);
    return { report: reportOf(manifest, filesWritten), saved: { manifest, checksum, isPrefix: true } };
  } finally {
    await deleteUnnamed(folder);
  }
}

/**
 * The state in the folder, where it is the one that this index was opened from or last saved as; undefined where there is
 * none, or another that is to be replaced.
 */
async function stateToContinue(
  folder: string,
  saved: SavedState | undefined,
  overwrite: boolean,
): Promise<StoredManifest | undefined> {
  const names = await readdir(folder);
  let there: StoredManifest | undefined;
  try {
    there = await readManifest(folder);
  } catch (error) {
    // Whether this is a damaged index, or no index at all, the other files tell.
    if (overwrite && error instanceof GranuleError && names.every(isOwnName)) return undefined;
    throw error;
  }
  if (there === undefined || there.checksum !== saved?.checksum) {
    if (there === undefined || overwrite) return undefined;
    throw new GranuleError(
      'INDEX_EXISTS',
      `${folder} holds another index, or this one as somebody else has changed it since`,
      { folder, id: there.manifest.id },
    );
  }
  const missing = [...filesOf(there.manifest)].find((file) => !names.includes(file));
  if (missing === undefined) return there;
  if (overwrite) return undefined;
  throw new GranuleError('INDEX_CORRUPT', `${missing} is missing`, { file: missing });
}

async function writeSegments<T extends NativeStore>(
  { native, cancel, checkpoint }: SaveCall<T>,
  folder: string,
  generation: number,
  base: IndexManifest | undefined,
): Promise<ManifestSegment[]> {
  const { rows } = native;
  const segments = [...(base?.segments ?? [])];
  for (let row = base?.rows ?? 0; row < rows; ) {
    checkpoint();
    const file = newNames.segment(generation);
    const { header, ...counts } = await native.writeSegment(join(folder, file), row, cancel);
    const { rows: added, vectors, bytes } = counts;
    segments.push({
      file,
      rows: added,
      vectors,
      bytes,
      header: createHash('sha256').update(header).digest('hex'),
    });
    row += added;
  }
  return segments;
}

async function writeRemoved<T extends NativeStore>(
  { native, checkpoint }: SaveCall<T>,
  folder: string,
  generation: number,
  rows: number,
  count: number,
): Promise<ManifestRemoved> {
  checkpoint();
  const bits = new Uint8Array(Math.ceil(rows / 8));
  await native.copyRemoved(bits);
  const file = newNames.removed(generation);
  const hash = createHash('sha256');
  const partial = join(folder, newNames.partial(file));
  await writeDurably(join(folder, file), [bits], (chunk) => hash.update(chunk), partial);
  return { file, bytes: bits.length, sha256: hash.digest('hex'), count };
}

/**
 * Makes a folder, and those above it. Not by `mkdir` with `recursive`: that runs for ever where the system refuses a folder
 * with ENOENT, as in /proc.
 */
export async function makeFolder(folder: string, mayMakeParents = true): Promise<void> {
  try {
    await mkdir(folder);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST') return;
    if (code !== 'ENOENT' || !mayMakeParents) throw error;
    await makeFolder(dirname(folder));
    return makeFolder(folder, false);
  }
  await syncFolder(dirname(folder));
}

function refuseForeign(folder: string, names: readonly string[]): void {
  if (names.includes(MANIFEST_FILE)) return;
  const foreign = names.find((name) => !isOwnName(name));
  if (foreign === undefined) return;
  throw new GranuleError(
    'FILE_NOT_WRITABLE',
    `${folder} holds '${foreign}' and no index; save to a folder that is empty or does not exist`,
    { file: folder },
  );
}

/** @throws GranuleError `INDEX_LOCKED` */
export async function acquireLock(
  lock: { acquire(path: string): Promise<void> },
  folder: string,
): Promise<void> {
  try {
    await lock.acquire(join(folder, LOCK_FILE));
  } catch (cause) {
    if (!(cause instanceof GranuleError) || cause.code !== 'INDEX_LOCKED') throw cause;
    throw new GranuleError(
      'INDEX_LOCKED',
      `somebody else is saving to ${folder} at this moment`,
      { folder },
      { cause },
    );
  }
}

function reportOf({ rows, segments, removed }: IndexManifest, filesWritten: number): SaveReport {
  const bytes = segments.reduce((sum, segment) => sum + segment.bytes, removed?.bytes ?? 0);
  return { rows, files: segments.length, bytes, filesWritten };
}
