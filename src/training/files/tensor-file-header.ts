/**
 * The header of a file that training writes: that of safetensors (https://github.com/huggingface/safetensors), one text for one content.
 *
 *     8 bytes   length of the header, little-endian
 *     header    JSON: __metadata__, then per tensor its dtype, shape and place; spaces up to a multiple of 64 bytes
 *     tensors   little-endian, row-major, one after the other
 *
 * @module
 */
import { GranuleError } from '../../errors.js';

/** Most bytes of a header. */
export const MAX_HEADER_BYTES = 1 << 20;

/** Numbers of a tensor. */
export type TensorNumbers = Float32Array | Float64Array | Uint32Array;

/** The dtypes of tensors, by their names in safetensors. */
export const TENSOR_DTYPES = { F32: Float32Array, F64: Float64Array, U32: Uint32Array } as const;

/** A dtype of a tensor. */
export type TensorDtype = keyof typeof TENSOR_DTYPES;

/** What a file says that it is. */
export interface TensorFileFormat {
  readonly name: string;
  readonly version: string;
  /** For messages: `towers of Granule`. */
  readonly holds: string;
}

/** A tensor of a file. */
export interface TensorPlan {
  readonly name: string;
  readonly dtype: TensorDtype;
  readonly shape: readonly number[];
}

/** A tensor and where it lies. */
export interface TensorPlace extends TensorPlan {
  /** Bytes from the first tensor on. */
  readonly begin: number;
  readonly end: number;
}

/** What a file says besides the numbers. */
export interface TensorFileFacts {
  /** The writer's own, without the format's keys. */
  readonly metadata: Readonly<Record<string, string>>;
  readonly tensors: readonly TensorPlan[];
}

/** A header that was read and makes sense. */
export interface TensorFileHeader {
  readonly facts: TensorFileFacts;
  readonly places: readonly TensorPlace[];
  readonly sha256: string;
}

/**
 * The tensors that a file must hold, in order, as its metadata say and the names of the tensors that it does hold.
 *
 * @throws GranuleError where the metadata say nothing that makes sense
 */
export type PlanTensors = (
  metadata: Readonly<Record<string, string>>,
  names: ReadonlySet<string>,
) => readonly TensorPlan[];

const ALIGNMENT = 64;
const NO_CHECKSUM = '0'.repeat(64);

/** Keys of the metadata that every format has. */
export const FORMAT_KEYS: readonly string[] = ['format', 'version', 'sha256'];

/** Where tensors lie: one after the other. */
export function placeTensors(tensors: readonly TensorPlan[]): TensorPlace[] {
  let end = 0;
  return tensors.map((tensor) => {
    const begin = end;
    const { BYTES_PER_ELEMENT } = TENSOR_DTYPES[tensor.dtype];
    end += tensor.shape.reduce((product, length) => product * length, BYTES_PER_ELEMENT);
    return { ...tensor, begin, end };
  });
}

/** All that comes before the tensors; without `sha256` what the checksum is taken over. */
export function headerBytes(
  format: TensorFileFormat,
  facts: TensorFileFacts,
  sha256 = NO_CHECKSUM,
): Uint8Array {
  const text = new TextEncoder().encode(headerText(format, facts, sha256));
  const size = Math.ceil((8 + text.length) / ALIGNMENT) * ALIGNMENT;
  const bytes = new Uint8Array(size).fill(0x20);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(size - 8), true);
  bytes.set(text, 8);
  return bytes;
}

/**
 * Reads a header, and makes sure that it is the one text that says this.
 *
 * @param bytes - without the length
 * @param file - for messages
 * @throws GranuleError `TRAINING_FILE_INVALID`, and what `plan` throws
 */
export function parseHeader(
  bytes: Uint8Array,
  file: string,
  format: TensorFileFormat,
  plan: PlanTensors,
): TensorFileHeader {
  const { __metadata__: metadata, ...entries } = parseObject(decode(bytes, file), file, 'header');
  if (!isRecord(metadata) || metadata['format'] !== format.name) {
    const what = isRecord(metadata) && typeof metadata['format'] === 'string' ? metadata['format'] : 'none';
    throw invalidTrainingFile(
      file,
      `holds tensors, and does not say that they are ${format.holds}: its format is ${what.slice(0, 200)}, not ${format.name}`,
    );
  }
  if (metadata['version'] !== format.version) {
    throw invalidTrainingFile(
      file,
      `is of version ${String(metadata['version'])} of its format; this Granule reads version ${format.version}`,
    );
  }
  const { format: _, version, sha256, ...own } = metadata;
  const wrong = Object.entries(metadata).find(([, value]) => typeof value !== 'string');
  if (wrong !== undefined) throw invalidTrainingFile(file, `has metadata '${wrong[0]}' that is no text`);
  if (typeof sha256 !== 'string' || !/^[0-9a-f]{64}$/.test(sha256)) {
    throw invalidTrainingFile(file, 'has no checksum');
  }
  const texts = own as Record<string, string>;
  const tensors = plan(texts, new Set(Object.keys(entries)));
  const places = placeTensors(tensors);
  compareTensors(entries, places, file);
  const facts = { metadata: texts, tensors };
  if (
    !Buffer.from(headerBytes(format, facts, sha256))
      .subarray(8)
      .equals(bytes)
  ) {
    throw invalidTrainingFile(
      file,
      'has a header that says the right things in another way than Granule writes them',
    );
  }
  return { facts, places, sha256 };
}

/** What is wrong with a file that training wrote, or should have written. */
export function invalidTrainingFile(
  file: string,
  what: string,
  details: Record<string, string | number> = {},
  cause?: unknown,
): GranuleError {
  return new GranuleError('TRAINING_FILE_INVALID', `${file} ${what}`, { file, ...details }, { cause });
}

/**
 * An object that a text of a file must hold as JSON.
 *
 * @throws GranuleError `TRAINING_FILE_INVALID`
 */
export function parseObject(text: string | undefined, file: string, what: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text ?? '');
  } catch (cause) {
    throw invalidTrainingFile(
      file,
      text === undefined ? `has no ${what}` : `has a ${what} that is not JSON`,
      {},
      cause,
    );
  }
  if (!isRecord(value)) throw invalidTrainingFile(file, `has a ${what} that is no JSON object`);
  return value;
}

function headerText(format: TensorFileFormat, facts: TensorFileFacts, sha256: string): string {
  const metadata = { format: format.name, version: format.version, ...facts.metadata, sha256 };
  const entries = placeTensors(facts.tensors).map((place) => [place.name, entryOf(place)]);
  return JSON.stringify({ __metadata__: metadata, ...Object.fromEntries(entries) });
}

function entryOf({ dtype, shape, begin, end }: TensorPlace): object {
  return { dtype, shape, data_offsets: [begin, end] };
}

/** Says which tensor is not as it must be. */
function compareTensors(
  entries: Readonly<Record<string, unknown>>,
  places: readonly TensorPlace[],
  file: string,
): void {
  for (const place of places) {
    const expected = JSON.stringify(entryOf(place));
    const found = JSON.stringify(entries[place.name]) ?? 'none';
    if (found !== expected) {
      throw invalidTrainingFile(
        file,
        `has ${found.slice(0, 200)} as tensor '${place.name}', and ${expected} is needed`,
        { tensor: place.name },
      );
    }
  }
  const known = new Set(places.map(({ name }) => name));
  const unknown = Object.keys(entries).find((name) => !known.has(name));
  if (unknown !== undefined) {
    throw invalidTrainingFile(file, `has a tensor '${unknown.slice(0, 200)}', which does not belong there`, {
      tensor: unknown,
    });
  }
}

function decode(bytes: Uint8Array, file: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw invalidTrainingFile(file, 'has a header that is not UTF-8', {}, cause);
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
