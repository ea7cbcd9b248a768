import { describe, expect, it } from 'vitest';
import { parseCorpusLine } from '../../../src/corpus/corpus-line.js';

const entity = { id: 'fr', title: 'France' };
const line = (change: object) => ({ entity, passages: [{ id: 'fr#1', text: 'Paris.' }], ...change });

describe('parseCorpusLine', () => {
  it('takes a whole line', () => {
    expect(
      parseCorpusLine({
        entity: { ...entity, image: 'fr.svg' },
        passages: [{ id: 'fr#1', text: 'Paris.' }],
        documents: [
          { id: 'fr/history', title: 'History of France', text: 'Long ago.', metadata: { year: 800 } },
          { id: 'fr/law', text: 'The code.' },
        ],
        images: [{ file: 'coat.svg' }, { id: 'fr-map', file: 'map.png' }, { file: 'map2.png' }],
        metadata: { region: 'Europe', codes: [1, { a: null }] },
      }),
    ).toEqual({
      entity,
      metadata: { region: 'Europe', codes: [1, { a: null }] },
      passages: [{ id: 'fr#1', text: 'Paris.' }],
      documents: [
        { id: 'fr/history', title: 'History of France', text: 'Long ago.', metadata: { year: 800 } },
        { id: 'fr/law', text: 'The code.' },
      ],
      images: [
        { id: 'fr', file: 'fr.svg' },
        { id: 'fr#2', file: 'coat.svg' },
        { id: 'fr-map', file: 'map.png' },
        { id: 'fr#4', file: 'map2.png' },
      ],
    });
  });

  it('takes an entity alone, metadata inside it, and images without a first one in it', () => {
    const bare = { entity, passages: [], documents: [], images: [] };
    expect(parseCorpusLine({ entity })).toEqual(bare);
    expect(parseCorpusLine({ entity: { ...entity, metadata: { a: 1 } } })).toEqual({
      ...bare,
      metadata: { a: 1 },
    });
    expect(parseCorpusLine({ entity, images: [{ file: 'a.png' }, { file: 'b.png' }] }).images).toEqual([
      { id: 'fr', file: 'a.png' },
      { id: 'fr#2', file: 'b.png' },
    ]);
  });

  it('copies metadata as JSON would: 32 deep, without fields that are undefined', () => {
    const metadata = JSON.parse(`${'{"a":'.repeat(32)}1${'}'.repeat(32)}`);
    const parsed = parseCorpusLine(line({ metadata: { ...metadata, b: undefined, c: '\ud800\0' } }));
    expect(Object.keys(parsed.metadata!)).toEqual(['a', 'c']);
    expect(parsed.metadata).toEqual({ ...metadata, c: '\ud800\0' });
    expect(parsed.metadata!['a']).not.toBe(metadata.a);
  });

  it.each<[string, unknown, RegExp]>([
    ['null', null, /must be an object/],
    ['an array', [], /must be an object/],
    ['a number', 7, /must be an object/],
    ['no entity', { passages: [] }, /'entity' must be an object/],
    ['passages that are an object', { entity, passages: {} }, /'passages' must be an array/],
    ['documents that are null', { entity, documents: null }, /'documents' must be an array/],
    [
      'a document without text',
      { entity, documents: [{ id: 'd' }] },
      /'documents\[0\].text' must be a string/,
    ],
    [
      'a document with a misspelt field',
      { entity, documents: [{ id: 'd', text: 'x', url: 'y' }] },
      /'documents\[0\]' has the unknown field 'url'; known: id, title, text, metadata/,
    ],
    [
      'metadata of a document that are an array',
      { entity, documents: [{ id: 'd', text: 'x', metadata: [] }] },
      /'documents\[0\].metadata' must be an object/,
    ],
    ['an image that is a string', { entity, images: ['a.png'] }, /'images\[0\]' must be an object/],
    ['an image without a file', { entity, images: [{ id: 'a' }] }, /'images\[0\].file' must be a string/],
    ['a sparse array', { entity, passages: new Array(1) }, /'passages\[0\]' must be an object/],
    ['a number beyond JSON', line({ metadata: { a: [1, 1 / 0] } }), /'metadata.a\[1\]' is Infinity/],
    ['a date in metadata', line({ metadata: { a: new Date(0) } }), /'metadata.a' is not a string, a number/],
    ['undefined in an array', line({ metadata: { a: [undefined] } }), /'metadata.a\[0\]' is not/],
    ['metadata with a toJSON', line({ metadata: { a: { toJSON: () => 1 } } }), /'metadata.a' is not/],
    [
      'metadata that fan out without end',
      line({ metadata: Array.from({ length: 30 }).reduce<object>((inner) => ({ a: inner, b: inner }), {}) }),
      /more than 1000000 values/,
    ],
    ['an id that is a number', line({ entity: { id: 7, title: 'x' } }), /'entity.id' must be a string/],
    ['an empty id', line({ entity: { id: ' ', title: 'x' } }), /'entity.id' is empty/],
    ['an overlong id', line({ entity: { id: 'x'.repeat(1001), title: 'x' } }), /more than 1000/],
    ['no title', line({ entity: { id: 'x' } }), /'entity.title' must be a string/],
    [
      'an image that is an object',
      line({ entity: { ...entity, image: {} } }),
      /'entity.image' must be a string/,
    ],
    ['a passage without text', line({ passages: [{ id: 'a' }] }), /'passages\[0\].text' must be a string/],
    ['an empty text', line({ passages: [{ id: 'a', text: '' }] }), /'passages\[0\].text' is empty/],
    ['a NUL', line({ passages: [{ id: 'a', text: 'a\0b' }] }), /NUL/],
    ['half a surrogate pair', line({ passages: [{ id: 'a', text: '\ud800' }] }), /well-formed/],
    ['a misspelt field', line({ entity: { ...entity, imgae: 'a.png' } }), /unknown field 'imgae'/],
    ['a field beside entity', line({ source: 'web' }), /unknown field 'source'/],
    ['metadata that is an array', line({ metadata: [] }), /'metadata' must be an object/],
    ['metadata given twice', line({ entity: { ...entity, metadata: {} }, metadata: {} }), /given twice/],
    [
      'a polluting key',
      JSON.parse('{"entity":{"__proto__":{"id":"a"},"id":"a","title":"b"},"passages":[]}'),
      /__proto__/,
    ],
    [
      'a polluting key in metadata',
      line({ metadata: JSON.parse('{"a":[{"__proto__":{"x":1}}]}') }),
      /__proto__/,
    ],
    [
      'bottomless metadata',
      line({ metadata: JSON.parse(`${'{"a":'.repeat(40)}1${'}'.repeat(40)}`) }),
      /nested/,
    ],
    ['fields of a prototype', Object.create({ entity, passages: [] }), /'entity' must be an object/],
  ])('refuses %s', (_, value, message) => {
    expect(() => parseCorpusLine(value)).toThrow(expect.objectContaining({ code: 'CORPUS_LINE_INVALID' }));
    expect(() => parseCorpusLine(value)).toThrow(message);
  });

  it.each([
    ['passages', { passages: [1, 2].map(() => ({ id: 'a', text: 'x' })) }],
    ['documents', { documents: [1, 2].map(() => ({ id: 'a', text: 'x' })) }],
    ['images', { images: [1, 2].map(() => ({ id: 'a', file: 'x' })) }],
    ['images, one of them by default', { images: [{ id: 'fr#2', file: 'x' }, { file: 'y' }] }],
  ])('refuses two %s with one id', (_, change) => {
    expect(() => parseCorpusLine(line(change))).toThrow(expect.objectContaining({ code: 'DUPLICATE_ID' }));
  });
});
