import { describe, expect, it } from 'vitest';
import { type AnalyzerOptions, analyzer, analyzerFrom } from '../../../src/text/analyzer.js';
import { sameAnalyzer } from '../../../src/text/analyzer-description.js';
import { STOP_WORDS } from '../../../src/text/stop-words.js';
import { normaliseText } from '../../../src/text/tokenizer.js';

const TEXT = 'The Boundary-Layers of a wing, and the wings';
const invalid = expect.objectContaining({ code: 'INVALID_ARGUMENT' });

describe('an analyzer', () => {
  it.each([
    [{}, 'boundari layer wing wing'],
    [{ stemming: false }, 'boundary layers wing wings'],
    [{ stopWords: false }, 'the boundari layer of a wing and the wing'],
    [{ stopWords: false, stemming: false }, 'the boundary layers of a wing and the wings'],
    [{ stopWords: ['WING'], stemming: false }, 'the boundary layers of a and the wings'],
    [{ language: 'de', stemming: 'porter' }, 'the boundari layer of a wing and the wing'],
    [{ language: 'ja' }, 'the boundary layers of a wing and the wings'],
    [
      { tokenizer: { name: 'commas', tokenize: (text: string) => text.split(', ') }, stemming: false },
      `${TEXT.split(', ')[0]} and the wings`,
    ],
  ] as [AnalyzerOptions, string][])('%j', (options, terms) => {
    expect(analyzer(options)(TEXT).join(' ')).toBe(terms);
  });

  it('leaves stop words out before it stems', () => {
    // `this` would give the stem `thi`, which is no stop word.
    expect(analyzer({ stemming: 'porter' })('this was so')).toEqual(['so']);
  });

  it('gives a text without words no terms', () => {
    expect(analyzer()('')).toEqual([]);
    expect(analyzer()('of the')).toEqual([]);
  });

  it('is described by all that decides its terms, and made again from that', () => {
    for (const options of [
      {},
      { language: 'fr' },
      { tokenizer: 'segments', language: 'th' },
      { stopWords: ['b', 'a', 'b'] },
    ] as const) {
      const first = analyzer(options);
      const description = JSON.parse(JSON.stringify(first.description));
      const second = analyzerFrom(description);
      expect(second.description).toEqual(first.description);
      expect(sameAnalyzer(first.description, second.description)).toBe(true);
      expect(second(TEXT)).toEqual(first(TEXT));
    }
    expect(analyzer({ stopWords: ['b', 'a', 'b'] }).description.stopWords).toEqual(['a', 'b']);
  });

  it('differs from others in its description', () => {
    const own = (name: string) => ({ name, tokenize: () => [] });
    const all = [
      {},
      { stopWords: false },
      { stopWords: ['a'] },
      { stopWords: ['a', 'b'] },
      { stopWords: ['a', 'c'] },
      { stemming: false },
      { stemming: 'porter' },
      { tokenizer: 'segments' },
      { tokenizer: 'segments', language: 'ja', stopWords: true && [], stemming: 'english' },
      { tokenizer: own('x') },
      { tokenizer: own('y') },
      { tokenizer: own('plain') },
    ].map((options) => analyzer(options as AnalyzerOptions).description);
    for (const [i, a] of all.entries()) {
      for (const [j, b] of all.entries()) expect(sameAnalyzer(a, b)).toBe(i === j);
    }
  });

  it('with a tokenizer of the caller’s own cannot be made from its description', () => {
    const { description } = analyzer({ tokenizer: { name: 'x', tokenize: () => [] } });
    expect(() => analyzerFrom(description)).toThrowError(invalid);
  });

  it.each([
    { language: 'ja', stopWords: true },
    { language: 'constructor', stopWords: true },
    { language: 'ja', stemming: true },
    { stemming: 'klingon' },
    { stopWords: [1] },
    { stopWords: 'the' },
    { tokenizer: 'letters' },
    { tokenizer: { name: '', tokenize: () => [] } },
    { tokenizer: { name: 'x' } },
    { tokenizer: null },
    { lower: true },
  ])('is refused for %j', (options) => {
    expect(() => analyzer(options as unknown as AnalyzerOptions)).toThrowError(invalid);
  });
});

describe.each(Object.entries(STOP_WORDS))('the stop words of %s', (_, words) => {
  it('are as the tokenizers give words, each once', () => {
    expect(words.map(normaliseText)).toEqual(words);
    expect(new Set(words).size).toBe(words.length);
  });
});

it('the English stop words are 33', () => {
  expect(STOP_WORDS['en']).toHaveLength(33);
});
