import fc from 'fast-check';
import { expect, test } from 'vitest';
import { rougeL } from '../../../../src/evaluation/answers/rouge-l.js';

test.each([
  // The paper's example: "police killed the gunman" and three sentences.
  ['police kill the gunman', 'police killed the gunman', 3 / 4],
  ['the gunman kill police', 'police killed the gunman', 2 / 4],
  ['The gunman police killed', 'police killed the gunman', 2 / 4],
])('%j against %j: F1 %d', (answer, reference, f1) => {
  expect(rougeL(answer, reference).f1).toBeCloseTo(f1, 12);
});

test('precision and recall are of the longest common subsequence', () => {
  expect(rougeL('A, b; x c!', 'a b c d e f')).toEqual({ precision: 3 / 4, recall: 3 / 6, f1: 0.6 });
  expect(rougeL('', 'a')).toEqual({ precision: 0, recall: 0, f1: 0 });
  expect(rougeL('?', '?')).toEqual({ precision: 0, recall: 0, f1: 0 });
});

test('equals the longest of all subsequences that stand in both', () => {
  const texts = fc.array(fc.constantFrom('x', 'y', 'z'), { minLength: 1, maxLength: 7 });
  fc.assert(
    fc.property(texts, texts, (answer, reference) => {
      let longest = 0;
      for (let chosen = 0; chosen < 1 << answer.length; chosen++) {
        const words = answer.filter((_, i) => chosen & (1 << i));
        let at = 0;
        for (const word of reference) if (word === words[at]) at += 1;
        if (at === words.length) longest = Math.max(longest, words.length);
      }
      expect(rougeL(answer.join(' '), reference.join(' ')).recall).toBeCloseTo(
        longest / reference.length,
        12,
      );
    }),
  );
});
