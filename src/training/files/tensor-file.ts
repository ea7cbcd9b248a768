import { createHash, type Hash } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import { EventLoopTurns } from '../../approximate/event-loop-turns.js';
import { unlessSystem } from '../../corpus/storage/corpus-files.js';
import { unreadableFile } from '../../corpus/unreadable-file.js';
import { GranuleError } from '../../errors.js';
import { replaceDurably } from '../../files/durable-file.js';
import { firstNotFinite, refuseNotFinite } from './finite-values.js';
import {
  headerBytes,
  invalidTrainingFile,
  MAX_HEADER_BYTES,
  type PlanTensors,
  parseHeader,
  TENSOR_DTYPES,
  type TensorDtype,
  type TensorFileFormat,
  type TensorNumbers,
  type TensorPlace,
} from './tensor-file-header.js';

/** Bytes that are hashed or read at a time, so that the event loop is never held for long. */
const CHUNK = 1 << 18;

/** A tensor with its numbers, row-major. */
export interface FileTensor {
  readonly shape: readonly number[];
  readonly values: TensorNumbers;
}

/** What a file holds. */
export interface TensorFile {
  readonly tensors: ReadonlyMap<string, FileTensor>;
  /** Texts by name. */
  readonly metadata: Readonly<Record<string, string>>;
}

/**
 * Writes a `.safetensors` file, with a SHA-256 over everything in its metadata. After a crash the whole file, or what was there before, is
 * there; the same content is the same bytes. Numbers are read where they lie: leave them as they are until the promise settles.
 *
 * @throws GranuleError `INVALID_ARGUMENT` for metadata of more than 1 MiB; `NOT_FINITE` with `details.parameter`, `.row` and `.column`;
 * `FILE_NOT_WRITABLE`, `ABORTED`
 */
export async function writeTensorFile(
  file: string,
  format: TensorFileFormat,
  { tensors, metadata }: TensorFile,
  signal?: AbortSignal,
): Promise<void> {
  const turns = new EventLoopTurns(signal);
  const plans = [...tensors].map(([name, { shape, values }]) => ({ name, shape, dtype: dtypeOf(values) }));
  const facts = { metadata, tensors: plans };
  const header = headerBytes(format, facts);
  if (header.length > MAX_HEADER_BYTES) {
    throw new GranuleError(
      'INVALID_ARGUMENT',
      `metadata makes a header of ${header.length} bytes; it may have ${MAX_HEADER_BYTES}`,
    );
  }
  await turns.pass();
  const hash = createHash('sha256').update(header);
  const parts: Uint8Array[] = [];
  for (const [name, { shape, values }] of tensors) {
    if (!(values instanceof Uint32Array)) await refuseNotFinite(name, { values, shape }, turns);
    parts.push(bytesOf(values));
    await updateHash(hash, bytesOf(values), turns);
  }
  try {
    await replaceDurably(file, [headerBytes(format, facts, hash.digest('hex')), ...parts]);
  } catch (error) {
    throw unlessSystem(error, file);
  }
}

/**
 * Reads what {@link writeTensorFile} wrote. Everything is checked before it is used: the header against what the file must hold, the length
 * of the file before memory is taken, the checksum, and that every number is finite.
 *
 * @throws GranuleError `FILE_NOT_FOUND`; `TRAINING_FILE_INVALID` for a file that is cut short, altered, of a later version or of something
 * else, with `details.tensor`, `.row` and `.column` where one is at fault; `OUT_OF_MEMORY`, `ABORTED`, and what `plan` throws
 */
export async function readTensorFile(
  file: string,
  format: TensorFileFormat,
  plan: PlanTensors,
  signal?: AbortSignal,
): Promise<TensorFile> {
  const turns = new EventLoopTurns(signal);
  const handle = await open(file, 'r').catch(unreadableFile(file));
  try {
    await turns.pass();
    return await readFrom(handle, file, format, plan, turns);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).syscall === undefined) throw error;
    return unreadableFile(file)(error as Error);
  } finally {
    await handle.close();
  }
}

async function readFrom(
  handle: FileHandle,
  file: string,
  format: TensorFileFormat,
  plan: PlanTensors,
  turns: EventLoopTurns,
): Promise<TensorFile> {
  const { size } = await handle.stat();
  const length = Buffer.alloc(8);
  if (size < 8 || (await handle.read(length, 0, 8, 0)).bytesRead < 8) {
    throw invalidTrainingFile(file, `has ${size} bytes, too few for a file of tensors`);
  }
  const headerSize = Number(length.readBigUInt64LE());
  if (8 + headerSize > MAX_HEADER_BYTES) {
    throw invalidTrainingFile(
      file,
      `is no safetensors file of Granule: its header would have ${headerSize} bytes, and may have ${MAX_HEADER_BYTES}`,
    );
  }
  if (8 + headerSize > size) throw invalidTrainingFile(file, 'is cut short within its header');
  const bytes = new Uint8Array(headerSize);
  await readFully(handle, bytes, 8, file);
  const { facts, places, sha256 } = parseHeader(bytes, file, format, plan);
  const expected = 8 + headerSize + (places.at(-1)?.end ?? 0);
  if (size !== expected) {
    throw invalidTrainingFile(
      file,
      `has ${size} bytes, and its header says ${expected}: it was cut short or added to`,
    );
  }
  const tensors = new Map<string, FileTensor>();
  const hash = createHash('sha256').update(headerBytes(format, facts));
  for (const place of places) {
    const values = zeros(place);
    await readFully(handle, bytesOf(values), 8 + headerSize + place.begin, file, { hash, turns });
    tensors.set(place.name, { shape: place.shape, values });
  }
  if (hash.digest('hex') !== sha256) {
    throw invalidTrainingFile(file, 'was altered: its checksum is not that of what it holds');
  }
  for (const [name, { shape, values }] of tensors) {
    const wrong = values instanceof Uint32Array ? undefined : await firstNotFinite(values, shape, turns);
    if (wrong === undefined) continue;
    const { row, column, value } = wrong;
    throw invalidTrainingFile(file, `holds ${value} in ${name}, row ${row}, column ${column}`, {
      tensor: name,
      row,
      column,
    });
  }
  return { tensors, metadata: facts.metadata };
}

/** Fills `bytes` from `position` on, and hashes them on the way. */
async function readFully(
  handle: FileHandle,
  bytes: Uint8Array,
  position: number,
  file: string,
  checked?: { readonly hash: Hash; readonly turns: EventLoopTurns },
): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    if (checked?.turns.over) await checked.turns.pass();
    const length = Math.min(CHUNK, bytes.length - done);
    const { bytesRead } = await handle.read(bytes, done, length, position + done);
    if (bytesRead === 0) throw invalidTrainingFile(file, 'was cut short while it was read');
    checked?.hash.update(bytes.subarray(done, done + bytesRead));
    done += bytesRead;
  }
}

async function updateHash(hash: Hash, bytes: Uint8Array, turns: EventLoopTurns): Promise<void> {
  for (let start = 0; start < bytes.length; start += CHUNK) {
    if (turns.over) await turns.pass();
    hash.update(bytes.subarray(start, start + CHUNK));
  }
}

function zeros({ dtype, begin, end }: TensorPlace): TensorNumbers {
  const Kind = TENSOR_DTYPES[dtype];
  const length = (end - begin) / Kind.BYTES_PER_ELEMENT;
  try {
    return new Kind(length);
  } catch (cause) {
    throw new GranuleError(
      'OUT_OF_MEMORY',
      `there is no memory for ${length} numbers`,
      { length },
      { cause },
    );
  }
}

function dtypeOf(values: TensorNumbers): TensorDtype {
  if (values instanceof Float32Array) return 'F32';
  return values instanceof Float64Array ? 'F64' : 'U32';
}

function bytesOf({ buffer, byteOffset, byteLength }: TensorNumbers): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}
