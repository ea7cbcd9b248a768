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

  it('gives offsets into the source, in order, that lose nothing but white space', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom('a', 'Bc', '. ', '! ', '\n', '\n\n', ' ', 'é', '😀', '1. '), {
          maxLength: 80,
        }),
        (parts) => {
          const source = parts.join('');
          const squeeze = (text: string) => text.replace(/\s+/gu, '');
          const passages = splitPassages('T', source, 3);
          let end = 0;
          for (const passage of passages) {
            expect(passage.start).toBeGreaterThanOrEqual(end);
            expect(squeeze(source.slice(end, passage.start))).toBe('');
            expect(squeeze(body(passage.text))).toBe(squeeze(source.slice(passage.start, passage.end)));
            end = passage.end;
          }
          expect(squeeze(source.slice(end))).toBe('');
        },
      ),
    );
  });
});
