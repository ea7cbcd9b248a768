import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { textSegments } from '../../../src/corpus/text-segments.js';

const sentences = new Intl.Segmenter('en', { granularity: 'sentence' });
const words = new Intl.Segmenter('en', { granularity: 'word' });
const segments = (segmenter: Intl.Segmenter, text: string, longest = 5_000) =>
  [...textSegments(segmenter, text, longest)].map(({ segment }) => segment);

describe('textSegments', () => {
  it('finds the boundaries that the segmenter finds in the whole text', () => {
    const piece = fc.constantFrom(
      'Once',
      ' upon',
      " can't",
      ' 3.5',
      ' e.g. a',
      '. ',
      '! (',
      ') ',
      '?" ',
      '\n',
      '😀',
      ' 首都です。',
      '. 1 ',
    );
    fc.assert(
      fc.property(fc.array(piece, { minLength: 600, maxLength: 1_500, size: 'max' }), (pieces) => {
        const text = pieces.join('');
        for (const segmenter of [sentences, words]) {
          const whole = [...segmenter.segment(text)].map(({ segment }) => segment);
          expect(segments(segmenter, text)).toEqual(whole);
        }
      }),
      { numRuns: 20, seed: 1 },
    );
  });

  it('gives every unit of the text once, where it stands', () => {
    const text = `${'x'.repeat(7_000)} ${'y. '.repeat(2_000)}${'😀'.repeat(3_001)}`;
    let end = 0;
    for (const { segment, index } of textSegments(sentences, text, 5_000)) {
      expect(index).toBe(end);
      expect(segment.length).toBeGreaterThan(0);
      expect(text.startsWith(segment, index)).toBe(true);
      end += segment.length;
    }
    expect(end).toBe(text.length);
  });

  it('cuts what is longer than allowed, at white space where there is any', () => {
    expect(segments(sentences, 'ab '.repeat(1_700), 5_000).map(({ length }) => length)).toEqual([4_998, 102]);
    expect(segments(sentences, 'x'.repeat(5_001)).map(({ length }) => length)).toEqual([5_000, 1]);
    expect(segments(sentences, `x${'😀'.repeat(2_500)}`).map(({ length }) => length)).toEqual([4_999, 2]);
  });
});
