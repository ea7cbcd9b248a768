import { describe, expect, test } from 'vitest';
import {
  webQaScores,
  webQaTokens,
  withoutPlural,
} from '../../../../src/evaluation/answers/webqa-accuracy.js';

const same = (word: string) => word;

describe('the form in which WebQA compares words', () => {
  test.each([
    ['The U.S. flag', ['us', 'flag']],
    ['3.5 metres. Really?', ['3.5', 'metres', 'really']],
    ['twenty one', ['20', '1']],
    ['twenty-one', ['twentyone']],
    ['1,000 people', ['1000', 'people']],
    ['a', ['a']],
    ['?', ['?']],
    ['The', ['the']],
    ['the!', ['the']],
    ['the the', []],
    ['  ', []],
    ['at a point', ['at', 'point']],
  ])('%j is %j', (text, tokens) => {
    expect(webQaTokens(text, same)).toEqual(tokens);
  });

  test.each([
    ['ponies', 'pony'],
    ['zombies', 'zomby'],
    ['eyries', 'eyry'],
    ['laddies', 'laddy'],
    ['calories', 'calory'],
    ['houses', 'house'],
    ['shoes', 'shoe'],
    ['trees', 'tree'],
    ['cats', 'cat'],
    ['corpus', 'corpus'],
    ['glass', 'glass'],
    ['is', 'is'],
    ['gas', 'gas'],
    ['movies', 'movy'],
    ['cookeies', 'cookeie'],
  ])('%s without its plural is %s', (word, singular) => {
    expect(withoutPlural(word)).toBe(singular);
  });
});

describe('QA-Acc', () => {
  test.each([
    // Recall of gold words: 2 of 3 (old, church), whatever else the answer says.
    ['It is the old church on a hill', 'The old stone church', 'text', 2 / 3],
    ['church church', 'church and church bells', 'text', 2 / 4],
    ['bells', 'bell', 'text', 1],
    [null, 'church', 'text', 0],
    ['church', '', 'text', 0],
    // Colours only, each once: given {red, blue}, gold {red, white}: P = R = 1/2.
    ['Red, red and blue stripes', 'The red and white one', 'color', 1 / 2],
    ['It is red and blue', 'blue', 'color', 2 / 3],
    ['a stripe', 'blue', 'color', 0],
    ['blue', 'striped', 'color', 0],
    ['two circles', 'a circle', 'shape', 1],
    ['crosses and a cross', 'cross', 'shape', 1],
    ['Yes, they do', 'yes', 'YesNo', 1],
    ['Yes, no', 'no', 'YesNo', 2 / 3],
    ['no', 'yes', 'YesNo', 0],
    // Whole numbers only: given [3, 2], gold [3].
    ['three towers, 2 bridges and 1.5 roads', '3', 'number', 2 / 3],
    ['03 towers', 'three', 'number', 1],
    ['many', '3', 'number', 0],
    ['1.5', '1.5', 'number', 0],
  ] as const)('%j against %j (%s) is %d', (answer, gold, category, accuracy) => {
    const scores = webQaScores(answer, gold, category);
    expect(scores.accuracy).toBeCloseTo(accuracy, 12);
    expect(scores.fluency).toBe('not computed');
  });

  test('takes other vocabularies and lemmas, and compares the vocabulary by its lemmas too', () => {
    expect(webQaScores('ochre', 'ochre', 'color').accuracy).toBe(0);
    expect(webQaScores('ochre', 'ochre', 'color', { colours: ['ochre'] }).accuracy).toBe(1);
    const lemmatise = (word: string) => (word === 'went' ? 'go' : word);
    expect(webQaScores('went', 'go', 'text', { lemmatise }).accuracy).toBe(1);
    expect(
      webQaScores('hooves', 'hoof', 'shape', { shapes: ['hooves'], lemmatise: (w) => w.slice(0, 3) })
        .accuracy,
    ).toBe(1);
  });

  test('refuses unknown categories and options', () => {
    expect(() => webQaScores('a', 'b', 'size' as 'text')).toThrow(/category size/);
    expect(() => webQaScores('a', 'b', 'text', { lemmas: 1 } as object)).toThrow(/no option lemmas/);
  });
});
