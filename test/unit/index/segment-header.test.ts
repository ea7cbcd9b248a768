import { describe, expect, it } from 'vitest';
import type { IndexFacts } from '../../../src/index/index-manifest.js';
import { parseSegmentHeader } from '../../../src/index/segment-header.js';

const FACTS: IndexFacts = { kind: 'flat', dimension: 6, metric: 'ip', dtype: 'f32', codes: 'int8' };
const SEGMENT = { file: 'segment-1-0123456789abcdef.safetensors', rows: 20, vectors: 20 };

const TENSORS = {
  codes: { dtype: 'U8', shape: [1, 2, 16, 4], data_offsets: [0, 128] },
  scales: { dtype: 'F32', shape: [16], data_offsets: [128, 192] },
  residual_norms: { dtype: 'F32', shape: [16], data_offsets: [192, 256] },
  code_norms: { dtype: 'F32', shape: [16], data_offsets: [256, 320] },
  vector_checksums: { dtype: 'U32', shape: [2], data_offsets: [320, 328] },
  vectors: { dtype: 'F32', shape: [20, 6], data_offsets: [328, 808] },
};
const METADATA = {
  format: 'granule-segment',
  version: '1',
  kind: 'flat',
  metric: 'ip',
  dtype: 'f32',
  dimension: '6',
  rows: '20',
  vectors: '20',
  ...Object.fromEntries(Object.keys(TENSORS).map((name, i) => [`crc32c_${name}`, `0000000${i}`])),
};
const HEADER = { __metadata__: METADATA, ...TENSORS };

/** The bytes before the tensors: length, text, padding. */
function bytesOf(header: unknown): Buffer {
  const text = typeof header === 'string' ? header : JSON.stringify(header);
  const json = Buffer.from(text);
  const padded = Buffer.alloc(Math.ceil((8 + json.length) / 64) * 64, ' ');
  padded.writeBigUInt64LE(BigInt(padded.length - 8));
  json.copy(padded, 8);
  return padded;
}

const parse = (header: unknown, facts = FACTS, segment = SEGMENT) =>
  parseSegmentHeader(bytesOf(header), facts, segment);

describe('a segment header', () => {
  it('says which tensors there are, their checksums, and how long the file is', () => {
    expect(parse(HEADER)).toEqual({
      coded: true,
      biased: false,
      checksums: Uint32Array.of(0, 1, 2, 3, 4, 5),
      fileBytes: bytesOf(HEADER).length + 808,
    });
  });

  const tensor = (name: keyof typeof TENSORS, changes: object) => ({
    ...HEADER,
    [name]: { ...TENSORS[name], ...changes },
  });
  const text = JSON.stringify(HEADER);
  it.each<[string, unknown]>([
    ['a shape of huge numbers', tensor('vectors', { shape: [2 ** 53, 6] })],
    ['a shape of negative numbers', tensor('vectors', { shape: [-20, -6] })],
    ['a shape that overflows to what is expected', tensor('vectors', { shape: [2 ** 61 + 20, 6] })],
    ['offsets that overlap', tensor('scales', { data_offsets: [64, 128] })],
    ['offsets with a hole', tensor('vectors', { data_offsets: [392, 872] })],
    ['offsets before the file', tensor('codes', { data_offsets: [-128, 0] })],
    ['offsets that are strings', tensor('codes', { data_offsets: ['0', '128'] })],
    ['offsets in reverse', tensor('codes', { data_offsets: [128, 0] })],
    ['another dtype', tensor('vectors', { dtype: 'F64' })],
    ['a tensor that is null', { ...HEADER, scales: null }],
    ['a tensor too many', { ...HEADER, more: { dtype: 'U8', shape: [0], data_offsets: [808, 808] } }],
    ['a tensor that is missing', { ...HEADER, scales: undefined }],
    ['tensors in another order', { ...TENSORS, __metadata__: METADATA }],
    ['a field too many', tensor('codes', { stride: 1 })],
    ['metadata of another index', { ...HEADER, __metadata__: { ...METADATA, metric: 'cosine' } }],
    ['metadata of a later version', { ...HEADER, __metadata__: { ...METADATA, version: '2' } }],
    ['metadata with an unknown field', { ...HEADER, __metadata__: { ...METADATA, more: '' } }],
    ['metadata of other rows', { ...HEADER, __metadata__: { ...METADATA, rows: '21' } }],
    ['biases that are not there', { ...HEADER, __metadata__: { ...METADATA, crc32c_biases: '00000000' } }],
    ['a checksum of letters', { ...HEADER, __metadata__: { ...METADATA, crc32c_codes: 'zzzzzzzz' } }],
    ['a checksum that is a number', { ...HEADER, __metadata__: { ...METADATA, crc32c_codes: 12345678 } }],
    ['no metadata', TENSORS],
    ['metadata that is a string', { ...HEADER, __metadata__: 'granule-segment' }],
    ['a key twice, the right one last', text.replace('"scales"', '"scales":{"dtype":"F64"},"scales"')],
    ['a prototype', text.replace('"codes":{', '"__proto__":{"a":1},"codes":{')],
    ['white space', text.replace('{', '{ ')],
    ['a number in other words', text.replace('[0,128]', '[0,1.28e2]')],
    ['a key in other words', text.replace('"codes"', '"\\u0063odes"')],
    ['brackets without end', '['.repeat(60_000)],
    ['objects in objects', `${'{"a":'.repeat(10_000)}1${'}'.repeat(10_000)}`],
    ['no JSON', 'F32'],
    ['null', 'null'],
    ['a number', '1'],
    ['nothing', ''],
  ])('with %s is refused', (_, header) => {
    expect(() => parse(header)).toThrow(
      expect.objectContaining({ code: 'INDEX_CORRUPT', details: { file: SEGMENT.file } }),
    );
  });

  it('that is not UTF-8 is refused', () => {
    const bytes = bytesOf(HEADER);
    bytes[20] = 0xff;
    expect(() => parseSegmentHeader(bytes, FACTS, SEGMENT)).toThrow(/not UTF-8/);
  });

  it('behind which tensors would not lie at a multiple of 64 bytes is refused', () => {
    expect(() =>
      parseSegmentHeader(Buffer.concat([bytesOf(HEADER), Buffer.from(' ')]), FACTS, SEGMENT),
    ).toThrow(/impossible length/);
  });

  it('with codes is refused where the index has none, or where no block is whole', () => {
    expect(() => parse(HEADER, { ...FACTS, codes: 'none' })).toThrow(/codes where none can be/);
    expect(() => parse(HEADER, FACTS, { ...SEGMENT, rows: 15, vectors: 15 })).toThrow(
      /codes where none can be/,
    );
  });

  it('of another dimension, another number of rows or another kind is refused', () => {
    expect(() => parse(HEADER, { ...FACTS, dimension: 5 })).toThrow(/does not describe/);
    expect(() => parse(HEADER, FACTS, { ...SEGMENT, rows: 21, vectors: 21 })).toThrow(/does not describe/);
    expect(() => parse(HEADER, { ...FACTS, kind: 'multi-vector' })).toThrow(/checksum of 'offsets'/);
  });
});
