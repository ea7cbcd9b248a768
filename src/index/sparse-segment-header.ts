import type { SparseIndexFacts } from './index-manifest.js';
import { checkHeader, damagedSegment, openHeader, type Tensor } from './safetensors-header.js';

/** What the header of a segment of a sparse index says beyond what was known. */
export interface SparseSegmentHeader {
  readonly terms: number;
  readonly postings: number;
  /** CRC-32C of each tensor, in file order. */
  readonly checksums: Uint32Array;
  /** Of the whole file. */
  readonly fileBytes: number;
}

const MOST_POSTINGS = 2 ** 32 - 1;

/**
 * The header of a segment of a sparse index (docs/index-files.md).
 *
 * @param bytes - all that comes before the tensors
 * @param segment - what the manifest says of it; the file for messages
 * @throws GranuleError `INDEX_CORRUPT`
 */
export function parseSparseSegmentHeader(
  bytes: Uint8Array,
  { kind, saturating }: SparseIndexFacts,
  { file, rows }: { readonly file: string; readonly rows: number },
): SparseSegmentHeader {
  const header = openHeader(bytes, file);
  const count = (name: string): number => {
    const text = header.metadata[name];
    if (typeof text !== 'string' || !/^[0-9]{1,10}$/.test(text) || Number(text) > MOST_POSTINGS)
      throw damagedSegment(file, `has an impossible number of '${name}'`);
    return Number(text);
  };
  const terms = count('terms');
  const postings = count('postings');
  // The widest numbers first, so that each lies at a multiple of its size.
  const tensors: Tensor[] = [
    { name: 'offsets', dtype: 'U64', shape: [terms + 1] },
    { name: 'terms', dtype: 'U32', shape: [terms] },
    { name: 'rows', dtype: 'U32', shape: [postings] },
    { name: 'values', dtype: 'F32', shape: [postings] },
    ...(saturating ? [{ name: 'lengths', dtype: 'F32', shape: [rows] }] : []),
  ];
  return {
    terms,
    postings,
    ...checkHeader(header, { kind, saturating, rows, terms, postings }, tensors, file),
  };
}
