import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { splitPassages } from '../../../src/corpus/passage-splitter.js';

const body = (text: string) => text.replace(/^T\. /, '');
const sentence = (words: number) => `Once${' word'.repeat(words - 1)}.`;

describe('splitPassages', () => {
  it('packs sentences greedily to at most 100 words, headed by the title', () => {
    const source = [sentence(60), sentence(40), sentence(1), sentence(99)].join(' ');
    expect(splitPassages('Title', source).map(({ text }) => text)).toEqual([
      `Title. ${sentence(60)} ${sentence(40)}`,
      `Title. ${sentence(1)} ${sentence(99)}`,
    ]);
  });

  it('does not end a title twice', () => {
    expect(splitPassages('Who is it?', 'An owl.')).toEqual([
      { text: 'Who is it? An owl.', start: 0, end: 7 },
    ]);
  });

  it('leaves a longer sentence alone', () => {
    const source = [sentence(5), sentence(150), sentence(5)].join(' ');
    expect(splitPassages('T', source).map(({ text }) => body(text))).toEqual([
      sentence(5),
      sentence(150),
      sentence(5),
    ]);
  });

  it('does not end a sentence at a line break inside a paragraph', () => {
    expect(
      splitPassages('T', 'One two\r\nthree four. Five\nsix.\n\nSeven', 4).map(({ text }) => body(text)),
    ).toEqual(['One two three four.', 'Five six. Seven']);
  });

  it('keeps headings and list items apart', () => {
    const [first, second] = splitPassages('T', '# Head\nText goes\non here.\n- item one\n- item two', 5);
    expect(body(first!.text)).toBe('# Head Text goes on here.');
    expect(body(second!.text)).toBe('- item one - item two');
  });

  it('counts words of scripts that write without spaces', () => {
    const source = '東京は日本の首都です。大阪は大きな都市です。'.repeat(30);
    expect(splitPassages('T', source).length).toBeGreaterThan(2);
  });

  it('gives nothing for blank text', () => {
    expect(splitPassages('T', ' \n\n ')).toEqual([]);
  });

  it('joins sentences as the source does', () => {
    expect(splitPassages('T', '首都です。大阪は。  次').map(({ text }) => text)).toEqual([
      'T. 首都です。大阪は。 次',
    ]);
  });

  it('gives passages that are the source, with a heading and single spaces, in order and without a gap', () => {
    const parts = [
      'a',
      'Bc',
      '. ',
      '! ',
      '\n',
      '\r\n',
      '\n\n',
      ' \t',
      'é',
      '😀',
      '1. ',
      '。',
      '\ud800',
      '\u0085',
      '\ufeff',
    ];
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.constantFrom(...parts), fc.constantFrom(1, 1, 1, 2, 700)), { maxLength: 80 }),
        (pieces) => {
          const source = pieces.map(([part, times]) => part.repeat(times)).join('');
          let end = 0;
          for (const passage of splitPassages('T', source, 3)) {
            expect(passage.start).toBeGreaterThanOrEqual(end);
            expect(source.slice(end, passage.start).trim()).toBe('');
            const held = source.slice(passage.start, passage.end);
            expect(held).toBe(held.trim());
            expect(held.length).toBeLessThanOrEqual(5_000);
            expect(passage.text).toBe(`T. ${held.replace(/\s+/gu, ' ')}`);
            end = passage.end;
          }
          expect(source.slice(end).trim()).toBe('');
        },
      ),
      { numRuns: 60 },
    );
  });

  it('gives no passage of more than 5,000 characters, however few words it has', () => {
    const lengths = splitPassages('T', '#\n'.repeat(6_000)).map(({ start, end }) => end - start);
    expect(lengths).toEqual([4_999, 4_999, 1_999]);
  });

  it('cuts a text without sentences at white space, and no character in two', () => {
    const [first] = splitPassages('T', 'word '.repeat(3_000));
    expect(body(first!.text)).toMatch(/^(word )+word$/);
    for (const { text } of splitPassages('T', `x${'😀'.repeat(6_000)}`)) {
      expect(text).not.toMatch(/\p{Surrogate}/u);
    }
  });

  it.each([
    ['no space', 'x'],
    ['ends of sentences', '1. '],
    ['no words', '#'],
    ['no spaces between words', '東京は日本の首都です'],
    ['halves of surrogate pairs', '\ud800'],
    ['short lines', '- a\n'],
  ])('takes time that grows with the length of a text of %s, not with its square', (_, piece) => {
    const time = (length: number) => {
      const text = piece.repeat(length / piece.length);
      const times = [0, 1].map(() => {
        const start = process.cpuUsage();
        splitPassages('T', text);
        const { user, system } = process.cpuUsage(start);
        return user + system;
      });
      return Math.min(...times);
    };
    time(5_000);
    // Eight times as long: a square would be 64 times as much. Less than a millisecond is below what is measured.
    expect(time(80_000)).toBeLessThan(24 * Math.max(time(10_000), 1_000));
  });
});
