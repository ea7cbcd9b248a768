import { describe, expect, it } from 'vitest';
import { parseCorpusLine } from '../../../src/corpus/corpus-line.js';

const entity = { id: 'fr', title: 'France' };
const line = (change: object) => ({ entity, passages: [{ id: 'fr#1', text: 'Paris.' }], ...change });

describe('parseCorpusLine', () => {
  it('takes a whole line', () => {
    const whole = {
      entity: { ...entity, image: 'fr.svg' },
      passages: [{ id: 'fr#1', text: 'Paris.' }],
      metadata: { region: 'Europe', codes: [1, { a: null }] },
    };
    expect(parseCorpusLine(whole)).toEqual(whole);
  });

  it('takes metadata inside the entity, and an entity without passages', () => {
    expect(parseCorpusLine({ entity: { ...entity, metadata: { a: 1 } }, passages: [] })).toEqual({
      entity,
      passages: [],
      metadata: { a: 1 },
    });
  });

  it.each<[string, unknown, RegExp]>([
    ['null', null, /must be an object/],
    ['an array', [], /must be an object/],
    ['a number', 7, /must be an object/],
    ['no entity', { passages: [] }, /'entity' must be an object/],
    ['no passages', { entity }, /'passages' must be an array/],
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

  it('refuses two passages with one id', () => {
    const passages = [
      { id: 'a', text: 'x' },
      { id: 'a', text: 'y' },
    ];
    expect(() => parseCorpusLine(line({ passages }))).toThrow(
      expect.objectContaining({ code: 'DUPLICATE_ID' }),
    );
  });
});
