import fc from 'fast-check';
import { expect, test } from 'vitest';
import { foldedWords, foldText } from '../../../src/encoders/fold-text.js';

test('case, Latin diacritics and compatibility forms are folded', () => {
  expect(foldText('ÉCOLE')).toBe(foldText('école'));
  expect(foldText('Straße')).toBe('strasse');
  expect(foldText('ﬁve ２０')).toBe('five 20');
  expect(foldText('e\u0301')).toBe('e');
});

test('marks that distinguish words of other scripts are kept', () => {
  expect(foldText('한국')).toBe('한국');
  expect(foldText('हिन्दी')).toBe('हिन्दी'.normalize('NFC'));
});

test('words keep inner digits together and drop apostrophes and possessives', () => {
  expect(foldedWords("France's area: 551,695 km²; N'Djamena")).toEqual([
    'france',
    'area',
    '551,695',
    'km2',
    'ndjamena',
  ]);
  expect(foldedWords(' … ')).toEqual([]);
});

test('ASCII, which is folded by a shorter way, comes out as by the long one', () => {
  const ascii = fc.string({ unit: 'binary-ascii', maxLength: 40 });
  fc.assert(
    fc.property(ascii, (text) => {
      const folded = text.normalize('NFKD').toUpperCase().toLowerCase().normalize('NFC');
      expect(foldText(text)).toBe(folded);
      // A letter beyond ASCII, as a word of its own, sends the text the long way.
      expect(foldedWords(`é ${text}`)).toEqual(['e', ...foldedWords(text)]);
    }),
  );
});
