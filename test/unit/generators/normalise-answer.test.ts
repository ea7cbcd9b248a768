import fc from 'fast-check';
import { expect, test } from 'vitest';
import { normaliseAnswer } from '../../../src/generators/normalise-answer.js';

test.each([
  ['The U.S.', 'us'],
  ['  a   Big\tApple ', 'big apple'],
  ['an answer, the answer!', 'answer answer'],
  ['Andorra, Belgium and the Netherlands', 'andorra belgium and netherlands'],
  ['551,695', '551695'],
  ['théâtre', 'théâtre'],
  ['aé the', 'aé'],
  ['A', ''],
  ['"?!"', ''],
  ['€ 5', '€ 5'],
])('%j becomes %j', (text, expected) => {
  expect(normaliseAnswer(text)).toBe(expected);
});

test('punctuation is deleted before articles are looked for', () => {
  expect(normaliseAnswer('t.h.e end')).toBe('end');
});

test('what is normal stays as it is', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom('paris', 'the', '€', 'ändern', '12', 'of')), (words) => {
      const once = normaliseAnswer(words.join(' '));
      return normaliseAnswer(once) === once;
    }),
  );
});
