/**
 * The header of a file of tensors (https://github.com/huggingface/safetensors), as Granule writes it: one text for one
 * content, with a checksum of each tensor.
 *
 * @module
 */
import { GranuleError } from '../errors.js';

/** Most bytes before the tensors. */
export const MAX_HEADER_BYTES = 1 << 16;

/** A tensor's place in the header. */
export interface Tensor {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
}

/** A header that was read, and not yet compared with anything. */
export interface OpenedHeader {
  readonly bytes: number;
  readonly text: string;
  readonly metadata: Readonly<Record<string, unknown>>;
}

const ITEM_BYTES: Readonly<Record<string, number>> = {
  U8: 1,
  F64: 8,
  U64: 8,
  F32: 4,
  U32: 4,
  F16: 2,
  BF16: 2,
};
/** Tensors begin at a multiple of this. */
const HEADER_ALIGNMENT = 64;

/**
 * @param bytes - all that comes before the tensors
 * @param file - for messages
 * @throws GranuleError `INDEX_CORRUPT`
 */
export function openHeader(bytes: Uint8Array, file: string): OpenedHeader {
  if (bytes.length % HEADER_ALIGNMENT !== 0)
    throw damagedSegment(file, 'has a header of an impossible length');
  const text = decode(bytes.subarray(8), file).trimEnd();
  return { bytes: bytes.length, text, metadata: metadataOf(text, file) };
}

/**
 * Makes sure that a header is the one text that says this.
 *
 * @param facts - what its metadata must say
 * @param tensors - in file order
 * @returns CRC-32C of each tensor, and the bytes of the whole file
 * @throws GranuleError `INDEX_CORRUPT`
 */
export function checkHeader(
  header: OpenedHeader,
  facts: Readonly<Record<string, string | number | boolean>>,
  tensors: readonly Tensor[],
  file: string,
): { checksums: Uint32Array; fileBytes: number } {
  const checksums = tensors.map(({ name }) => {
    const checksum = header.metadata[`crc32c_${name}`];
    if (typeof checksum !== 'string' || !/^[0-9a-f]{8}$/.test(checksum))
      throw damagedSegment(file, `has no checksum of '${name}'`);
    return checksum;
  });
  let offset = 0;
  const entries = tensors.map(({ name, dtype, shape }) => {
    const begin = offset;
    offset += shape.reduce((product, length) => product * length, ITEM_BYTES[dtype]!);
    return [name, { dtype, shape, data_offsets: [begin, offset] }];
  });
  const metadata = {
    format: 'granule-segment',
    version: '1',
    ...Object.fromEntries(Object.entries(facts).map(([name, fact]) => [name, String(fact)])),
    ...Object.fromEntries(tensors.map(({ name }, i) => [`crc32c_${name}`, checksums[i]])),
  };
  if (header.text !== JSON.stringify({ __metadata__: metadata, ...Object.fromEntries(entries) }))
    throw damagedSegment(file, 'has a header that does not describe what the manifest says of it');
  return {
    checksums: Uint32Array.from(checksums, (checksum) => Number.parseInt(checksum, 16)),
    fileBytes: header.bytes + offset,
  };
}

/** What is wrong with a segment file. */
export function damagedSegment(file: string, what: string, cause?: unknown): GranuleError {
  return new GranuleError('INDEX_CORRUPT', `${file} ${what}`, { file }, { cause });
}

function decode(bytes: Uint8Array, file: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw damagedSegment(file, 'has a header that is not UTF-8', cause);
  }
}

function metadataOf(text: string, file: string): Record<string, unknown> {
  let header: unknown;
  try {
    header = JSON.parse(text);
  } catch (cause) {
    throw damagedSegment(file, 'has a header that is not JSON', cause);
  }
  const metadata = (header as { __metadata__?: unknown } | null)?.__metadata__;
  if (typeof metadata !== 'object' || metadata === null)
    throw damagedSegment(file, 'has a header without metadata');
  return metadata as Record<string, unknown>;
}
