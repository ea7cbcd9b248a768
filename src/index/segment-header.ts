/**
 * The header of a segment file (docs/index-files.md). What a header may say follows from what the manifest says of the
 * segment, but for which optional tensors there are and the tensors' checksums; a header that says anything else, or says
 * it in other words, is refused.
 *
 * @module
 */
import { GranuleError } from '../errors.js';
import type { IndexFacts } from './index-manifest.js';

/** Most bytes before the tensors. */
export const MAX_HEADER_BYTES = 1 << 16;

/** What a header says beyond what was known. */
export interface SegmentHeader {
  /** Whole blocks of 16 vectors have codes. */
  readonly coded: boolean;
  /** Rows have biases. */
  readonly biased: boolean;
  /** CRC-32C of each tensor, in file order. */
  readonly checksums: Uint32Array;
  /** Of the whole file. */
  readonly fileBytes: number;
}

interface Tensor {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
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
const VECTOR_DTYPES = { f32: 'F32', f16: 'F16', bf16: 'BF16' } as const;
/** Tensors begin at a multiple of this. */
const HEADER_ALIGNMENT = 64;
const BLOCK = 16;
const GROUP = 4;

/**
 * @param bytes - all that comes before the tensors
 * @param file - for messages
 * @throws GranuleError `INDEX_CORRUPT`
 */
export function parseSegmentHeader(
  bytes: Uint8Array,
  facts: IndexFacts,
  segment: { readonly file: string; readonly rows: number; readonly vectors: number },
): SegmentHeader {
  const { file, rows, vectors } = segment;
  if (bytes.length % HEADER_ALIGNMENT !== 0) throw damaged(file, 'has a header of an impossible length');
  const text = decode(bytes.subarray(8), file).trimEnd();
  const metadata = metadataOf(text, file);
  const coded = Object.hasOwn(metadata, 'crc32c_codes');
  const biased = Object.hasOwn(metadata, 'crc32c_biases');
  if (coded && (facts.codes === 'none' || vectors < BLOCK))
    throw damaged(file, 'has codes where none can be');
  const tensors = tensorsOf(facts, rows, vectors, coded, biased);
  const checksums = tensors.map(({ name }) => {
    const checksum = metadata[`crc32c_${name}`];
    if (typeof checksum !== 'string' || !/^[0-9a-f]{8}$/.test(checksum))
      throw damaged(file, `has no checksum of '${name}'`);
    return checksum;
  });
  const { header, dataBytes } = expectedHeader(facts, rows, vectors, tensors, checksums);
  if (text !== header)
    throw damaged(file, 'has a header that does not describe what the manifest says of it');
  return {
    coded,
    biased,
    checksums: Uint32Array.from(checksums, (checksum) => Number.parseInt(checksum, 16)),
    fileBytes: bytes.length + dataBytes,
  };
}

function decode(bytes: Uint8Array, file: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw damaged(file, 'has a header that is not UTF-8', cause);
  }
}

function metadataOf(text: string, file: string): Record<string, unknown> {
  let header: unknown;
  try {
    header = JSON.parse(text);
  } catch (cause) {
    throw damaged(file, 'has a header that is not JSON', cause);
  }
  const metadata = (header as { __metadata__?: unknown } | null)?.__metadata__;
  if (typeof metadata !== 'object' || metadata === null) throw damaged(file, 'has a header without metadata');
  return metadata as Record<string, unknown>;
}

/** The tensors of a segment in file order: the widest numbers first, so that each lies at a multiple of its size. */
function tensorsOf(
  { kind, dimension, metric, dtype }: IndexFacts,
  rows: number,
  vectors: number,
  coded: boolean,
  biased: boolean,
): Tensor[] {
  const blocks = Math.floor(vectors / BLOCK);
  const perCodedVector = (name: string) => ({ name, dtype: 'F32', shape: [blocks * BLOCK] });
  const codes = { name: 'codes', dtype: 'U8', shape: [blocks, Math.ceil(dimension / GROUP), BLOCK, GROUP] };
  return [
    ...(coded ? [codes] : []),
    ...(metric === 'l2' ? [{ name: 'squared_norms', dtype: 'F64', shape: [vectors] }] : []),
    ...(kind === 'multi-vector' ? [{ name: 'offsets', dtype: 'U64', shape: [rows + 1] }] : []),
    ...(coded ? ['scales', 'residual_norms', 'code_norms'].map(perCodedVector) : []),
    ...(biased ? [{ name: 'biases', dtype: 'F32', shape: [rows] }] : []),
    { name: 'vector_checksums', dtype: 'U32', shape: [Math.ceil(vectors / BLOCK)] },
    { name: 'vectors', dtype: VECTOR_DTYPES[dtype], shape: [vectors, dimension] },
  ];
}

function expectedHeader(
  { kind, dimension, metric, dtype }: IndexFacts,
  rows: number,
  vectors: number,
  tensors: readonly Tensor[],
  checksums: readonly string[],
): { header: string; dataBytes: number } {
  let offset = 0;
  const entries = tensors.map(({ name, dtype: type, shape }) => {
    const begin = offset;
    offset += shape.reduce((product, length) => product * length, ITEM_BYTES[type]!);
    return [name, { dtype: type, shape, data_offsets: [begin, offset] }];
  });
  const metadata = {
    format: 'granule-segment',
    version: '1',
    kind,
    metric,
    dtype,
    dimension: String(dimension),
    rows: String(rows),
    vectors: String(vectors),
    ...Object.fromEntries(tensors.map(({ name }, i) => [`crc32c_${name}`, checksums[i]])),
  };
  return {
    header: JSON.stringify({ __metadata__: metadata, ...Object.fromEntries(entries) }),
    dataBytes: offset,
  };
}

function damaged(file: string, what: string, cause?: unknown): GranuleError {
  return new GranuleError('INDEX_CORRUPT', `${file} ${what}`, { file }, { cause });
}
