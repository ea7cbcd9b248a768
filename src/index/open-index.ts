import { open } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { GranuleError } from '../errors.js';
import type { NativeSegmentFile, NativeStore } from '../native/addon-types.js';
import type { Device } from '../native/device.js';
import type { NativeCancelToken } from '../native/native-cancel-token.js';
import { checkBoolean, checkKeys, checkSignal, show } from './arguments.js';
import { isAbsent, readManifest, readStart, readWhole, unlessOfSystem } from './index-folder.js';
import type { IndexHandle } from './index-handle.js';
import {
  type IndexFacts,
  type IndexKind,
  type IndexManifest,
  MANIFEST_FILE,
  type ManifestRemoved,
  type ManifestSegment,
  type StoredManifest,
} from './index-manifest.js';
import { MAX_HEADER_BYTES } from './safetensors-header.js';
import { parseSegmentHeader } from './segment-header.js';
import { parseSparseSegmentHeader } from './sparse-segment-header.js';

/** Options of `open`. */
export interface OpenOptions {
  /**
   * Leave the vectors in their files, mapped, and check each block of 16 against its checksum when a search first reads
   * it; codes are read at once all the same. Off by default: everything is read and checked. Results do not depend on it.
   */
  readonly mmap?: boolean | undefined;
  /** As for a new index. */
  readonly threads?: number | undefined;
  /** As for a new index. */
  readonly device?: Device | undefined;
  /** Stops the opening; the promise then rejects with `ABORTED`. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * A new index without rows, and its handle.
 *
 * @internal
 */
interface NewIndex<Index extends Disposable, T extends NativeStore> {
  readonly index: Index;
  readonly handle: IndexHandle<T>;
}

/** What the manifest of an index of this kind says of it. */
type FactsOf<Kind extends IndexKind> = IndexFacts & { readonly kind: Kind };

const CLASSES = { flat: 'FlatIndex', 'multi-vector': 'MultiVectorIndex', sparse: 'SparseIndex' } as const;
const VECTOR_OPTIONS = ['mmap', 'threads', 'device', 'signal'];
const OPTIONS = { flat: VECTOR_OPTIONS, 'multi-vector': VECTOR_OPTIONS, sparse: ['threads', 'signal'] };
/** A saver may delete files between two steps of this; one that saves again and again does not keep it for ever. */
const MOST_ATTEMPTS = 10;

/**
 * Opens the index in a folder.
 *
 * @internal
 * @param make - makes an index of the class that opens
 * @throws GranuleError `FILE_NOT_FOUND`, `INDEX_CORRUPT`, `INDEX_VERSION_UNSUPPORTED`, `INVALID_ARGUMENT`,
 * `DEVICE_UNAVAILABLE`, `ABORTED`, `OUT_OF_MEMORY`
 */
export async function openIndex<Kind extends IndexKind, Index extends Disposable, T extends NativeStore>(
  kind: Kind,
  folder: string,
  options: OpenOptions,
  make: (facts: FactsOf<Kind>) => NewIndex<Index, T>,
): Promise<Index> {
  checkKeys(options, OPTIONS[kind]);
  const mapped = checkBoolean(options.mmap ?? false, 'mmap');
  const signal = checkSignal(options.signal);
  const path = resolve(checkFolder(folder));
  for (let attempt = 1; ; ++attempt) {
    const stored = await manifestOf(path, kind);
    const { index, handle } = make(stored.manifest);
    try {
      await handle.open(signal, { ...stored, isPrefix: true }, (native, cancel, checkpoint) =>
        load(native, path, stored.manifest, mapped, cancel, checkpoint),
      );
      return index;
    } catch (error) {
      index[Symbol.dispose]();
      if (!isGone(error)) throw unlessOfSystem(error, 'FILE_NOT_FOUND', 'read', path);
      // A file went because a saver has replaced the state that named it, or it is lost.
      if (attempt === MOST_ATTEMPTS || (await manifestOf(path, kind)).checksum === stored.checksum)
        throw error;
    }
  }
}

/** @throws GranuleError `INVALID_ARGUMENT` */
export function checkFolder(folder: string): string {
  if (typeof folder === 'string' && folder !== '' && !folder.includes('\0')) return folder;
  throw new GranuleError('INVALID_ARGUMENT', `folder must be the path of a folder, got ${show(folder)}`);
}

async function manifestOf<Kind extends IndexKind>(
  folder: string,
  kind: Kind,
): Promise<StoredManifest & { manifest: FactsOf<Kind> }> {
  const stored = await readManifest(folder).catch((error: unknown) => {
    throw unlessOfSystem(error, 'FILE_NOT_FOUND', 'read', folder);
  });
  if (stored === undefined) {
    throw new GranuleError('FILE_NOT_FOUND', `there is no index in ${folder}: it has no ${MANIFEST_FILE}`, {
      file: folder,
    });
  }
  const found = stored.manifest.kind;
  if (found === kind) return stored as StoredManifest & { manifest: FactsOf<Kind> };
  throw new GranuleError(
    'INVALID_ARGUMENT',
    `${folder} holds a ${found} index; open it with ${CLASSES[found]}.open`,
    { folder, kind: found },
  );
}

async function load(
  native: NativeStore,
  folder: string,
  manifest: IndexManifest,
  mapped: boolean,
  cancel: NativeCancelToken,
  checkpoint: () => void,
): Promise<void> {
  const files: NativeSegmentFile[] = [];
  for (const segment of manifest.segments) {
    checkpoint();
    files.push(await readHeader(folder, manifest, segment));
  }
  const removed =
    manifest.removed === null ? undefined : await readRemoved(folder, manifest.removed, manifest.rows);
  checkpoint();
  await native.openSegments(files, removed, mapped, cancel);
}

async function readHeader(
  folder: string,
  manifest: IndexManifest,
  segment: ManifestSegment,
): Promise<NativeSegmentFile> {
  const { file, rows, vectors = 0 } = segment;
  const path = join(folder, file);
  const handle = await open(path, 'r').catch((error: unknown) => {
    throw isAbsent(error) ? missing(file, error) : error;
  });
  try {
    const { size } = await handle.stat();
    if (size !== segment.bytes) throw damaged(file, `is ${size} bytes long, not ${segment.bytes}`);
    const { data: prefix } = await readStart(handle, 8);
    const headerBytes = 8 + Number(Buffer.from(prefix).readBigUInt64LE());
    if (headerBytes > Math.min(MAX_HEADER_BYTES, size))
      throw damaged(file, 'has an impossible header length');
    const { data, sha256 } = await readStart(handle, headerBytes);
    if (sha256 !== segment.header) throw damaged(file, 'has a header that does not match its checksum');
    const { fileBytes, ...found } =
      manifest.kind === 'sparse'
        ? parseSparseSegmentHeader(data, manifest, segment)
        : { vectors, ...parseSegmentHeader(data, manifest, { file, rows, vectors }) };
    if (fileBytes !== size) throw damaged(file, `is ${size} bytes long, not ${fileBytes}`);
    return { path, file, headerBytes, rows, ...found };
  } finally {
    await handle.close();
  }
}

async function readRemoved(folder: string, removed: ManifestRemoved, rows: number): Promise<Uint8Array> {
  const { file } = removed;
  const { data, sha256 } = await readWhole(join(folder, file), removed.bytes + 1).catch((error: unknown) => {
    throw isAbsent(error) ? missing(file, error) : error;
  });
  if (data.length !== removed.bytes) throw damaged(file, `is not ${removed.bytes} bytes long`);
  if (sha256 !== removed.sha256) throw damaged(file, 'does not match its checksum');
  const behindTheRows = rows % 8 === 0 ? 0 : data.at(-1)! >> (rows % 8);
  if (behindTheRows !== 0) throw damaged(file, 'names rows that the index does not have');
  return data;
}

function missing(file: string, cause: unknown): GranuleError {
  return new GranuleError('INDEX_CORRUPT', `${file} is missing`, { file }, { cause });
}

function damaged(file: string, what: string): GranuleError {
  return new GranuleError('INDEX_CORRUPT', `${file} ${what}`, { file });
}

/** Whether opening failed for a file that the manifest names and that is not there. */
function isGone(error: unknown): boolean {
  if (!(error instanceof GranuleError)) return false;
  return error.code === 'FILE_NOT_FOUND' || (error.code === 'INDEX_CORRUPT' && isAbsent(error.cause ?? {}));
}
