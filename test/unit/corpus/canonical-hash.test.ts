import { describe, expect, it } from 'vitest';
import { canonicalHash, lineHash } from '../../../src/corpus/canonical-hash.js';
import { parseCorpusLine } from '../../../src/corpus/corpus-line.js';

const whole = {
  entity: { id: 'fr', title: 'France', image: 'a/fr.svg' },
  metadata: { region: 'Europe', codes: { b: 1, a: [1, 2] } },
  passages: [{ id: 'p', text: 'Paris.' }],
  documents: [{ id: 'd', title: 'D', text: 'One.', metadata: { year: 1 } }],
  images: [{ file: 'b.png' }],
};
const hash = (line: object, images = ['00', '11']) => lineHash(parseCorpusLine(line), images);

describe('lineHash', () => {
  it('is the same for the same line in another order of keys, with metadata in the entity, from other files', () => {
    const { passages } = whole;
    const same = {
      images: [{ file: 'elsewhere.png' }],
      passages,
      documents: [{ metadata: { year: 1 }, text: 'One.', title: 'D', id: 'd' }],
      entity: {
        image: 'other.svg',
        metadata: { codes: { a: [1, 2], b: 1 }, region: 'Europe' },
        title: 'France',
        id: 'fr',
      },
    };
    expect(hash(same)).toBe(hash(whole));
    expect(hash(whole)).toMatch(/^[0-9a-f]{64}$/);
  });

  it('is another one when anything else changes', () => {
    const changed: [object, string[]?][] = [
      [{ ...whole, entity: { ...whole.entity, id: 'fx' } }],
      [{ ...whole, entity: { ...whole.entity, title: 'francia' } }],
      [{ ...whole, metadata: { ...whole.metadata, codes: { b: 1, a: [2, 1] } } }],
      [{ ...whole, metadata: { region: 'Europe' } }],
      [{ ...whole, metadata: undefined }],
      [{ ...whole, passages: [] }],
      [{ ...whole, passages: [{ id: 'p', text: 'Paris' }] }],
      [{ ...whole, documents: [{ ...whole.documents[0], title: undefined }] }],
      [{ ...whole, documents: [{ ...whole.documents[0], metadata: { year: '1' } }] }],
      [{ ...whole, images: [{ id: 'x', file: 'b.png' }] }],
      [whole, ['00', '12']],
      [whole, ['11', '00']],
    ];
    const hashes = changed.map(([line, images]) => hash(line, images));
    expect(new Set([hash(whole), ...hashes]).size).toBe(changed.length + 1);
  });
});

describe('canonicalHash', () => {
  it('does not see the order of keys, and tells arrays from objects and texts from numbers', () => {
    expect(canonicalHash({ b: { d: 1, c: 2 }, a: 0 })).toBe(canonicalHash({ a: 0, b: { c: 2, d: 1 } }));
    const values = [[1, 2], [2, 1], { 0: 1, 1: 2 }, '[1,2]', null, {}, [], 1, '1'];
    expect(new Set(values.map(canonicalHash)).size).toBe(values.length);
  });
});
