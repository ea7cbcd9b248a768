/**
 * Reads and writes the part of the safetensors format that a corpus needs: 8 bytes of little-endian header length, a
 * JSON header, the tensors' bytes. Types F32 and U32, little-endian, row-major.
 *
 * The reader accepts only files in which the tensors fill the data exactly, one after another, without gaps or
 * overlaps; it hashes what it reads, so that a caller can compare the whole file's SHA-256.
 *
 * @module
 */
import { createHash, type Hash } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import { GranuleError } from '../errors.js';
import { writeDurably } from '../files/durable-file.js';

/** A tensor: its shape, and as many numbers as the product of the shape. */
export interface Tensor {
  readonly shape: readonly number[];
  readonly data: Float32Array | Uint32Array;
}

/** Tensors by name, in file order. */
export type Tensors = ReadonlyMap<string, Tensor>;

/** What a written or read file weighs and hashes to. */
export interface FileDigest {
  readonly bytes: number;
  /** Lower-case hexadecimal. */
  readonly sha256: string;
}

const MAX_HEADER_BYTES = 1 << 20;
const READ_CHUNK = 1 << 18;
const DTYPES = { F32: Float32Array, U32: Uint32Array } as const;

interface Entry {
  readonly name: string;
  readonly dtype: keyof typeof DTYPES;
  readonly shape: readonly number[];
  readonly length: number;
}

/**
 * Writes `tensors` to `path`; the file appears whole or not at all.
 *
 * @throws GranuleError `LENGTH_MISMATCH` where a tensor's data does not fill its shape
 */
export async function writeSafetensors(path: string, tensors: Tensors): Promise<FileDigest> {
  const header: Record<string, object> = {};
  const parts: Uint8Array[] = [];
  let offset = 0;
  for (const [name, { shape, data }] of tensors) {
    if (elementCount(shape) !== data.length) {
      throw new GranuleError(
        'LENGTH_MISMATCH',
        `tensor '${name}' has ${data.length} numbers for shape [${shape}]`,
        {
          tensor: name,
          length: data.length,
        },
      );
    }
    const end = offset + data.byteLength;
    header[name] = {
      dtype: data instanceof Float32Array ? 'F32' : 'U32',
      shape,
      data_offsets: [offset, end],
    };
    parts.push(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
    offset = end;
  }
  const json = JSON.stringify(header);
  // Padding to a multiple of 8 keeps the tensors aligned for readers that map the file.
  const headerBytes = Buffer.from(json.padEnd(json.length + ((8 - (Buffer.byteLength(json) % 8)) % 8)));
  const size = Buffer.alloc(8);
  size.writeBigUInt64LE(BigInt(headerBytes.length));
  const hash = createHash('sha256');
  await writeDurably(path, [size, headerBytes, ...parts], (chunk) => hash.update(chunk));
  return { bytes: 8 + headerBytes.length + offset, sha256: hash.digest('hex') };
}

/**
 * Reads every tensor of `path`.
 *
 * @throws GranuleError `CORPUS_INVALID`, naming the file, where it is missing, cut short, or not what it claims to be
 */
export async function readSafetensors(path: string): Promise<{ tensors: Tensors; digest: FileDigest }> {
  let handle: FileHandle;
  try {
    handle = await open(path, 'r');
  } catch (cause) {
    throw invalid(path, 'cannot be opened', cause);
  }
  try {
    return await readTensors(handle, path);
  } finally {
    await handle.close();
  }
}

async function readTensors(
  handle: FileHandle,
  path: string,
): Promise<{ tensors: Tensors; digest: FileDigest }> {
  const hash = createHash('sha256');
  const { size } = await handle.stat();
  const lengthBytes = Buffer.alloc(8);
  await readExactly(handle, lengthBytes, 0, hash, path);
  const headerLength = Number(lengthBytes.readBigUInt64LE());
  if (headerLength > Math.min(MAX_HEADER_BYTES, size - 8))
    throw invalid(path, 'has an impossible header length');
  const headerBytes = Buffer.alloc(headerLength);
  await readExactly(handle, headerBytes, 8, hash, path);

  const entries = parseHeader(headerBytes, path);
  const dataBytes = entries.reduce((sum, entry) => sum + entry.length * 4, 0);
  if (8 + headerLength + dataBytes !== size) {
    throw invalid(path, `holds ${size} bytes where its header promises ${8 + headerLength + dataBytes}`);
  }
  const tensors = new Map<string, Tensor>();
  let position = 8 + headerLength;
  for (const { name, dtype, shape, length } of entries) {
    const data = new DTYPES[dtype](length);
    await readExactly(handle, new Uint8Array(data.buffer), position, hash, path);
    position += data.byteLength;
    tensors.set(name, { shape, data });
  }
  return { tensors, digest: { bytes: size, sha256: hash.digest('hex') } };
}

async function readExactly(handle: FileHandle, into: Uint8Array, position: number, hash: Hash, path: string) {
  for (let done = 0; done < into.length; ) {
    const chunk = into.subarray(done, done + READ_CHUNK);
    const { bytesRead } = await handle.read(chunk, 0, chunk.length, position + done);
    if (bytesRead === 0) throw invalid(path, 'ends too early');
    hash.update(chunk.subarray(0, bytesRead));
    done += bytesRead;
  }
}

function parseHeader(bytes: Uint8Array, path: string): Entry[] {
  let header: unknown;
  try {
    header = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    throw invalid(path, 'has a header that is not JSON', cause);
  }
  if (typeof header !== 'object' || header === null || Array.isArray(header)) {
    throw invalid(path, 'has a header that is not an object');
  }
  const entries: Entry[] = [];
  let offset = 0;
  for (const [name, value] of Object.entries(header)) {
    if (name === '__metadata__') continue;
    const entry = parseEntry(name, value, path, offset);
    offset += entry.length * 4;
    entries.push(entry);
  }
  return entries;
}

function parseEntry(name: string, value: unknown, path: string, offset: number): Entry {
  const { dtype, shape, data_offsets: offsets } = (value ?? {}) as Record<string, unknown>;
  if (dtype !== 'F32' && dtype !== 'U32')
    throw invalid(path, `has tensor '${name}' of a type that is not F32 or U32`);
  if (!isCounts(shape)) throw invalid(path, `has tensor '${name}' without a valid shape`);
  const length = elementCount(shape);
  if (
    !isCounts(offsets) ||
    offsets.length !== 2 ||
    offsets[0] !== offset ||
    offsets[1] !== offset + length * 4
  ) {
    throw invalid(path, `has tensor '${name}' whose offsets do not follow from the shapes`);
  }
  return { name, dtype, shape, length };
}

function isCounts(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((n) => Number.isSafeInteger(n) && n >= 0);
}

function elementCount(shape: readonly number[]): number {
  return shape.reduce((product, n) => product * n, 1);
}

function invalid(path: string, what: string, cause?: unknown): GranuleError {
  return new GranuleError('CORPUS_INVALID', `${path} ${what}`, { file: path }, { cause });
}
