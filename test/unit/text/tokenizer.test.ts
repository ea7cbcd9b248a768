import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { normaliseText, plainTokens, segmentTokens } from '../../../src/text/tokenizer.js';

describe('plain tokens', () => {
  it.each([
    ['', []],
    [' .,-– ', []],
    ["Don't panic!", ['don', 't', 'panic']],
    ['boundary-layer 3.5 1,000', ['boundary', 'layer', '3', '5', '1', '000']],
    ['Ⅷ ﬁne ＡＢＣ', ['viii', 'fine', 'abc']],
    ['Straße ÉCOLE', ['straße', 'école']],
    ['हिन्दी में', ['हिन्दी', 'में']],
    ['東京都に行く', ['東京都に行く']],
    ['a_b', ['a', 'b']],
  ])('of %j', (text, tokens) => {
    expect(plainTokens(text)).toEqual(tokens);
  });

  it('do not depend on how a character is composed', () => {
    expect(plainTokens('Cafe\u0301')).toEqual(plainTokens('Caf\u00e9'));
  });

  it('are those of a slow walk over the characters', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 40 }), (text) => {
        const expected: string[] = [];
        let current = '';
        for (const character of `${normaliseText(text)} `) {
          if (/^(?:\p{L}|\p{M}|\p{N})$/u.test(character)) current += character;
          else if (current !== '') {
            expected.push(current);
            current = '';
          }
        }
        expect(plainTokens(text)).toEqual(expected);
      }),
      { seed: 5, numRuns: 100 },
    );
  });
});

describe('segments', () => {
  it.each([
    ['', []],
    ["Don't panic!", ["don't", 'panic']],
    ['boundary-layer 3.5 1,000', ['boundary', 'layer', '3.5', '1,000']],
    ['ＡＢＣ a_b', ['abc', 'a_b']],
  ])('of %j', (text, tokens) => {
    expect(segmentTokens()(text)).toEqual(tokens);
  });

  it('part Japanese, whose dictionary differs between versions of ICU', () => {
    const tokens = segmentTokens('ja')('東京都に行く');
    expect(tokens.length).toBeGreaterThan(1);
    expect(tokens.join('')).toBe('東京都に行く');
  });

  it('of a long text, which is cut into pieces, are those of the whole', () => {
    const word = fc.constantFrom(
      'don’t',
      'a.b',
      '3.5',
      '東京都に行く。',
      '、',
      'ไทยแลนด์',
      'e\u0301',
      '\u0301',
      '👩‍👩',
      'x\u200d',
      '\n',
      'A',
      ':',
    );
    const whole = new Intl.Segmenter('en', { granularity: 'word' });
    fc.assert(
      fc.property(
        fc.array(word, { minLength: 400, maxLength: 700 }),
        fc.constantFrom(' ', '\u3000', '\t'),
        (words, space) => {
          const text = words.join(space);
          const expected = [...whole.segment(normaliseText(text))].filter(({ isWordLike }) => isWordLike);
          expect(segmentTokens()(text)).toEqual(expected.map(({ segment }) => segment));
        },
      ),
      { seed: 13, numRuns: 20 },
    );
  });

  it('are refused for a locale that is none', () => {
    expect(() => segmentTokens('no such')).toThrowError(
      expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
    );
  });
});
