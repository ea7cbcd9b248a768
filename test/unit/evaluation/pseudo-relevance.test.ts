import fc from 'fast-check';
import { expect, test } from 'vitest';
import { pseudoRelevance } from '../../../src/evaluation/pseudo-relevance.js';

test.each([
  ['The capital is Paris.', ['Paris'], 'original'],
  ['The capital is Paris.', ['Lutetia', 'Paris'], 'alternative'],
  ['Parisian life', ['Paris'], 'none'],
  ['comparison', ['paris'], 'none'],
  ['Pariš', ['pari'], 'none'],
  ['x Parisian, Paris', ['Paris'], 'original'],
  ['about 551,695 square kilometres', ['551,695'], 'original'],
  ['area 1551695', ['551,695'], 'none'],
  ['it costs 5€', ['€'], 'none'],
  ['it costs 5 €', ['€'], 'original'],
  ['anything', ['the'], 'none'],
  ['anything', [], 'none'],
] as const)('%j with %j is %s', (passage, answers, expected) => {
  expect(pseudoRelevance(passage, answers)).toBe(expected);
});

test('symbols of regular expressions stand for themselves', () => {
  expect(pseudoRelevance('price ¥ 30', ['price ¥ 30'])).toBe('original');
  expect(pseudoRelevance('abc', ['a×c'])).toBe('none');
});

test('a passage that holds the answer between spaces is always relevant', () => {
  const word = fc.stringMatching(/^[b-z]{2,8}$/u).filter((text) => text !== 'the');
  fc.assert(
    fc.property(word, fc.array(word), fc.array(word), (answer, before, after) => {
      expect(pseudoRelevance([...before, answer, ...after].join(' '), [answer])).toBe('original');
    }),
  );
});
