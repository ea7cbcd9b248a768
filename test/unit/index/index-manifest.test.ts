import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { type IndexManifest, parseManifest, serialiseManifest } from '../../../src/index/index-manifest.js';

const SEGMENT = {
  file: 'segment-1-0123456789abcdef.safetensors',
  rows: 20,
  vectors: 20,
  bytes: 1000,
  header: 'a'.repeat(64),
};
const MANIFEST: IndexManifest = {
  kind: 'flat',
  id: '00000000-0000-4000-8000-000000000000',
  generation: 3,
  dimension: 8,
  metric: 'l2',
  dtype: 'bf16',
  codes: 'int8',
  rows: 20,
  vectors: 20,
  segments: [SEGMENT],
  removed: { file: 'removed-3-0123456789abcdef.bin', bytes: 3, sha256: 'b'.repeat(64), count: 2 },
};

const parse = (text: string) => parseManifest(Buffer.from(text));

/** What a manifest's writer would make of these fields: its checksum is right. */
function signed(changes: object): string {
  const { checksum: _, ...fields } = JSON.parse(serialiseManifest(MANIFEST).text);
  const changed = { ...fields, ...changes };
  const checksum = createHash('sha256').update(JSON.stringify(changed)).digest('hex');
  return JSON.stringify({ ...changed, checksum });
}

describe('a manifest', () => {
  it('is read as it was written', () => {
    const { text, checksum } = serialiseManifest(MANIFEST);
    expect(parse(text)).toEqual({ manifest: MANIFEST, checksum });
  });

  it('is refused with any one byte altered or cut off', () => {
    const bytes = Buffer.from(serialiseManifest(MANIFEST).text);
    for (let at = 0; at < bytes.length; at++) {
      for (const flip of [1, 4, 0x20, 0x80]) {
        const altered = Buffer.from(bytes);
        altered[at] = altered[at]! ^ flip;
        try {
          // White space between fields may be other white space.
          expect(parseManifest(altered).manifest).toEqual(MANIFEST);
          expect(/\s/.test(String.fromCharCode(bytes[at]!))).toBe(true);
        } catch (error) {
          const { code } = error as { code?: string };
          // The version's digit may turn into that of a later version.
          const isVersion = bytes.subarray(at - 11, at).toString() === '"version": ';
          expect(isVersion ? 'INDEX_CORRUPT' : code).toBe('INDEX_CORRUPT');
        }
      }
    }
    // The last byte is a line's end.
    for (let length = 0; length < bytes.length - 1; length++) {
      expect(() => parseManifest(bytes.subarray(0, length))).toThrow(
        expect.objectContaining({ code: 'INDEX_CORRUPT' }),
      );
    }
  });

  it.each([1, 2, 7])('of version %s + 1 is named as too new, whatever else it holds', (version) => {
    expect(() => parse(JSON.stringify({ format: 'granule-index', version: version + 1 }))).toThrow(
      expect.objectContaining({
        code: 'INDEX_VERSION_UNSUPPORTED',
        details: { file: 'manifest.json', version: version + 1 },
      }),
    );
  });

  it.each<[string, object]>([
    ['a version that is no number', { version: '1' }],
    ['a version of the future past', { version: 0 }],
    ['another format', { format: 'granule' }],
    ['another kind', { kind: 'sparse' }],
    ['another metric', { metric: 'toString' }],
    ['another dtype', { dtype: '__proto__' }],
    ['other codes', { codes: 'int4' }],
    ['an id that is none', { id: '..' }],
    ['no generation', { generation: 0 }],
    ['a generation that cannot grow', { generation: Number.MAX_SAFE_INTEGER }],
    ['a dimension of 0', { dimension: 0 }],
    ['a dimension that is too large', { dimension: 65_537 }],
    ['a fractional dimension', { dimension: 1.5 }],
    ['negative rows', { rows: -1 }],
    ['rows as a string', { rows: '20' }],
    ['rows that its segments do not hold', { rows: 21 }],
    ['vectors that its segments do not hold', { vectors: 21 }],
    ['no list of segments', { segments: { 0: SEGMENT, length: 1 } }],
    ['a segment that is none', { segments: [null] }],
    ['a segment twice', { segments: [SEGMENT, SEGMENT], rows: 40, vectors: 40 }],
    ['an unknown field', { more: 1 }],
    ['a field too many in a segment', { segments: [{ ...SEGMENT, offset: 0 }] }],
    ['an empty segment', { segments: [{ ...SEGMENT, rows: 0, vectors: 0 }], rows: 0, vectors: 0 }],
    ['more vectors than rows', { segments: [{ ...SEGMENT, vectors: 21 }], vectors: 21 }],
    ['rows beyond all bounds', { segments: [{ ...SEGMENT, rows: 1e300 }] }],
    ['infinite rows', { segments: [{ ...SEGMENT, rows: Number.POSITIVE_INFINITY }] }],
    ['a size beyond exact numbers', { segments: [{ ...SEGMENT, bytes: 2 ** 53 }] }],
    ['a checksum of a header in capitals', { segments: [{ ...SEGMENT, header: 'A'.repeat(64) }] }],
    ['removed rows of another size', { removed: { ...MANIFEST.removed, bytes: 4 } }],
    ['more removed rows than rows', { removed: { ...MANIFEST.removed, count: 21 } }],
    ['no removed rows, in a file', { removed: { ...MANIFEST.removed, count: 0 } }],
    ['removed rows that are a list', { removed: [] }],
  ])('with %s is refused, although its checksum holds', (_, changes) => {
    expect(() => parse(signed(changes))).toThrow(
      expect.objectContaining({ code: 'INDEX_CORRUPT', details: { file: 'manifest.json' } }),
    );
  });

  it.each([
    '../segment-1-0123456789abcdef.safetensors',
    'segment-1-0123456789abcdef.safetensors/..',
    '/etc/passwd',
    'segment-1-0123456789abcdef.safetensors\0',
    'segment-1-0123456789abcdef.safetensors\n',
    'SEGMENT-1-0123456789abcdef.safetensors',
    'manifest.json',
    '',
  ])('names no file %j', (file) => {
    expect(() => parse(signed({ segments: [{ ...SEGMENT, file }] }))).toThrow(/valid name/);
    expect(() => parse(signed({ removed: { ...MANIFEST.removed, file } }))).toThrow(/names no valid file/);
  });

  it.each([
    ['nothing', ''],
    ['null', 'null'],
    ['a number', '1e999'],
    ['brackets without end', '['.repeat(1_000_000)],
    ['brackets within brackets', `${'['.repeat(100_000)}${']'.repeat(100_000)}`],
    [
      'a manifest with brackets within brackets',
      `{"format":"granule-index","version":1,"kind":${'['.repeat(100_000)}${']'.repeat(100_000)}}`,
    ],
    ['a byte order mark', `\ufeff${serialiseManifest(MANIFEST).text}`],
    ['two documents', `${serialiseManifest(MANIFEST).text}{}`],
    [
      'a web application',
      '{ "name": "App", "start_url": "/", "format": null, "__proto__": { "format": "granule-index" } }',
    ],
  ])('that is %s is refused', (_, text) => {
    expect(() => parse(text)).toThrow(expect.objectContaining({ code: 'INDEX_CORRUPT' }));
  });

  it('that is not UTF-8 is refused', () => {
    const bytes = Buffer.from(serialiseManifest(MANIFEST).text.replace('flat', 'fl\u00e9'), 'latin1');
    expect(() => parseManifest(bytes)).toThrow(expect.objectContaining({ code: 'INDEX_CORRUPT' }));
  });
});
