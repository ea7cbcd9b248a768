/**
 * Files of tensors as training writes them: safetensors (https://github.com/huggingface/safetensors), whose metadata names what the file is
 * and holds the SHA-256 of all tensors together.
 *
 * @module
 */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { unreadableFile } from '../../corpus/unreadable-file.js';
import { GranuleError } from '../../errors.js';
import { writeDurably } from '../../files/durable-file.js';

type Numbers = Float32Array | Float64Array | Uint32Array;

/** A tensor with its numbers, row-major. */
export interface FileTensor {
  readonly shape: readonly number[];
  readonly values: Numbers;
}

/** What a file holds. */
export interface TensorFile {
  readonly tensors: ReadonlyMap<string, FileTensor>;
  /** Texts by name. */
  readonly metadata: Readonly<Record<string, string>>;
}

const DTYPES = {
  F32: Float32Array,
  F64: Float64Array,
  U32: Uint32Array,
} as const;

const ALIGNMENT = 64;
const VERSION = '1';

/**
 * Writes a file as a whole, or leaves what was there.
 *
 * @param format - what the file is
 * @throws GranuleError `FILE_NOT_WRITABLE`
 */
export async function writeTensorFile(
  file: string,
  format: string,
  { tensors, metadata }: TensorFile,
): Promise<void> {
  const entries: Record<string, object> = {};
  const hash = createHash('sha256');
  const parts: Uint8Array[] = [];
  let offset = 0;
  // What needs the greatest alignment comes first.
  const sorted = [...tensors].sort(([, a], [, b]) => b.values.BYTES_PER_ELEMENT - a.values.BYTES_PER_ELEMENT);
  for (const [name, { shape, values }] of sorted) {
    const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    entries[name] = { dtype: dtypeOf(values), shape, data_offsets: [offset, offset + bytes.length] };
    offset += bytes.length;
    hash.update(bytes);
    parts.push(bytes);
  }
  const own = { ...metadata, format, version: VERSION, sha256: hash.digest('hex') };
  const text = Buffer.from(JSON.stringify({ __metadata__: own, ...entries }));
  const header = Buffer.alloc(Math.ceil((8 + text.length) / ALIGNMENT) * ALIGNMENT, ' ');
  header.writeBigUInt64LE(BigInt(header.length - 8));
  text.copy(header, 8);
  try {
    await writeDurably(file, [header, ...parts]);
  } catch (error) {
    throw new GranuleError(
      'FILE_NOT_WRITABLE',
      `${file} cannot be written: ${(error as Error).message}`,
      { file },
      { cause: error },
    );
  }
}

/**
 * Reads a file that {@link writeTensorFile} wrote.
 *
 * @throws GranuleError `FILE_NOT_FOUND`; `TRAINING_FILE_INVALID` for a file of another format, or one that is damaged
 */
export async function readTensorFile(file: string, format: string): Promise<TensorFile> {
  const bytes = await readFile(file).catch(unreadableFile(file));
  const invalid = (what: string) => new GranuleError('TRAINING_FILE_INVALID', `${file} ${what}`, { file });
  const length = bytes.length < 8 ? Number.POSITIVE_INFINITY : Number(bytes.readBigUInt64LE());
  if (length > bytes.length - 8) throw invalid('is no safetensors file, or is cut off');
  const { __metadata__: metadata = {}, ...entries } = headerOf(bytes.subarray(8, 8 + length), invalid);
  if (metadata['format'] !== format) throw invalid(`is no ${format}`);
  if (metadata['version'] !== VERSION) {
    throw invalid(`has the version ${metadata['version']} of its format; this program reads ${VERSION}`);
  }
  const body = bytes.subarray(8 + length);
  if (createHash('sha256').update(body).digest('hex') !== metadata['sha256']) {
    throw invalid('is damaged: its tensors do not have the checksum of its header');
  }
  const tensors = new Map(
    Object.entries(entries).map(([name, entry]) => [name, tensorOf(name, entry, body, invalid)]),
  );
  return { tensors, metadata };
}

type Header = { readonly __metadata__?: Readonly<Record<string, string>> } & Readonly<
  Record<string, unknown>
>;

function headerOf(bytes: Uint8Array, invalid: (what: string) => GranuleError): Header {
  let header: unknown;
  try {
    header = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    throw invalid('has a header that is not JSON');
  }
  if (!isObject(header) || !isObject(header['__metadata__'] ?? {}))
    throw invalid('has a header that is no object');
  return header as Header;
}

function tensorOf(
  name: string,
  entry: unknown,
  body: Uint8Array,
  invalid: (what: string) => GranuleError,
): FileTensor {
  const { dtype, shape, data_offsets: offsets } = isObject(entry) ? entry : {};
  const Kind = DTYPES[dtype as keyof typeof DTYPES];
  const isWhole = (size: unknown) => Number.isSafeInteger(size) && (size as number) >= 0;
  const isList = (list: unknown): list is number[] => Array.isArray(list) && list.every(isWhole);
  if (Kind === undefined || !isList(shape) || !isList(offsets) || offsets.length !== 2) {
    throw invalid(`does not say what its tensor ${name} is`);
  }
  const [begin, end] = offsets as [number, number];
  const size = shape.reduce((product, length) => product * length, 1);
  if (end > body.length || end - begin !== size * Kind.BYTES_PER_ELEMENT) {
    throw invalid(`has a tensor ${name} that does not lie where its header says`);
  }
  // Copied, for the numbers may lie at any byte.
  return { shape, values: new Kind(Uint8Array.from(body.subarray(begin, end)).buffer) };
}

function dtypeOf(values: Numbers): keyof typeof DTYPES {
  if (values instanceof Float32Array) return 'F32';
  return values instanceof Float64Array ? 'F64' : 'U32';
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
