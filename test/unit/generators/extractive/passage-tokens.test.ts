import fc from 'fast-check';
import { expect, test } from 'vitest';
import { sentences, tokens } from '../../../../src/generators/extractive/passage-tokens.js';

const texts = (text: string) =>
  sentences(text).map((sentence) => sentence.tokens.map((token) => token.text).join(' '));

test('full stops inside abbreviations, initials and numbers end no sentence', () => {
  expect(texts('The town is St. Peter Port. It lies by the sea.')).toEqual([
    'The town is St. Peter Port',
    'It lies by the sea',
  ]);
  expect(texts('J. R. R. Tolkien wrote it. He lived in Oxford.')).toHaveLength(2);
  expect(texts('It is in Washington D.C. and nowhere else.')).toHaveLength(1);
  expect(texts('The capital is Washington D.C. It is large.')).toHaveLength(2);
  expect(texts('It weighs 1.5 grams. Its price is 3,200.50 euros.')).toHaveLength(2);
  expect(texts('one\ntwo')).toEqual(['one', 'two']);
});

test('numbers, domains and compound words are single tokens', () => {
  expect(tokens('551,695 +33 .fr N’Djamena Guinea-Bissau 15% AT&T').map(({ text }) => text)).toEqual([
    '551,695',
    '+33',
    '.fr',
    'N’Djamena',
    'Guinea-Bissau',
    '15%',
    'AT&T',
  ]);
});

test('offsets lead back to the text', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 80 }), (text) => {
      for (const token of tokens(text)) expect(text.slice(token.start, token.end)).toBe(token.text);
    }),
  );
});
