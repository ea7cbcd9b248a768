/**
 * The header of a segment file (docs/index-files.md). What a header may say follows from what the manifest says of the
 * segment, but for which optional tensors there are and the tensors' checksums; a header that says anything else, or says
 * it in other words, is refused.
 *
 * @module
 */
import type { VectorIndexFacts } from './index-manifest.js';
import { checkHeader, damagedSegment, openHeader, type Tensor } from './safetensors-header.js';

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

const VECTOR_DTYPES = { f32: 'F32', f16: 'F16', bf16: 'BF16' } as const;
const BLOCK = 16;
const GROUP = 4;

/**
 * @param bytes - all that comes before the tensors
 * @param segment - what the manifest says of it; the file for messages
 * @throws GranuleError `INDEX_CORRUPT`
 */
export function parseSegmentHeader(
  bytes: Uint8Array,
  facts: VectorIndexFacts,
  segment: { readonly file: string; readonly rows: number; readonly vectors: number },
): SegmentHeader {
  const { file, rows, vectors } = segment;
  const header = openHeader(bytes, file);
  const coded = Object.hasOwn(header.metadata, 'crc32c_codes');
  const biased = Object.hasOwn(header.metadata, 'crc32c_biases');
  if (coded && (facts.codes === 'none' || vectors < BLOCK))
    throw damagedSegment(file, 'has codes where none can be');
  const { kind, metric, dtype, dimension } = facts;
  const { checksums, fileBytes } = checkHeader(
    header,
    { kind, metric, dtype, dimension, rows, vectors },
    tensorsOf(facts, rows, vectors, coded, biased),
    file,
  );
  return { coded, biased, checksums, fileBytes };
}

/** The tensors of a segment in file order: the widest numbers first, so that each lies at a multiple of its size. */
function tensorsOf(
  { kind, dimension, metric, dtype }: VectorIndexFacts,
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
