import { expect, it } from 'vitest';
import { Vocabulary } from '../../../src/text/vocabulary.js';

it('terms get the numbers 0, 1, 2, ... and keep them', () => {
  const vocabulary = new Vocabulary();
  expect(['wing', 'flow', 'wing', '', '__proto__', 'wing'].map((term) => vocabulary.add(term))).toEqual([
    0, 1, 0, 2, 3, 0,
  ]);
  expect(vocabulary.size).toBe(4);
  expect([...vocabulary]).toEqual(['wing', 'flow', '', '__proto__']);
  expect(vocabulary.idOf('flow')).toBe(1);
  expect(vocabulary.termOf(1)).toBe('flow');
  expect(vocabulary.idOf('heat')).toBeUndefined();
  expect(vocabulary.termOf(4)).toBeUndefined();
});

it('a vocabulary can be made from its terms', () => {
  const again = new Vocabulary(new Vocabulary(['a', 'b']));
  expect([...again]).toEqual(['a', 'b']);
  expect(again.add('c')).toBe(2);
  expect(() => new Vocabulary(['a', 'b', 'a'])).toThrowError(
    expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
  );
});

it('the newest terms can be taken back', () => {
  const vocabulary = new Vocabulary(['a', 'b', 'c']);
  vocabulary.truncate(1);
  expect([...vocabulary]).toEqual(['a']);
  expect(vocabulary.idOf('b')).toBeUndefined();
  expect(vocabulary.add('c')).toBe(1);
});
