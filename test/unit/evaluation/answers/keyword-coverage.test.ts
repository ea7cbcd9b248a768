import { describe, expect, test } from 'vitest';
import { keywordCoverage, stageLosses } from '../../../../src/evaluation/answers/keyword-coverage.js';

const KEYWORDS = { coarse: ['Eiffel Tower'], fine: [['1889'], ['330 metres', 'iron']] };
const FIRST = 'The EIFFEL-TOWER was opened in 1889.';
const SECOND = 'At 330 metres, the Eiffel Tower is made of wrought iron.';
const OTHER_TOPIC = 'Made of iron, 330 metres high, opened in 1889.';

describe('coverage by keywords', () => {
  test.each([
    [[FIRST, SECOND], 1, 1, []],
    [[FIRST], 1 / 2, 0, ['330 metres', 'iron']],
    [[FIRST, 'the eiffel tower has 330 metres'], 1 / 2, 0, ['iron']],
    [[OTHER_TOPIC], 0, 0, ['1889', '330 metres', 'iron']],
    [[FIRST, OTHER_TOPIC], 1 / 2, 0, ['330 metres', 'iron']],
    [[], 0, 0, ['1889', '330 metres', 'iron']],
  ])('of %j: recall %d, accuracy %d, missing %j', (chunks, recall, accuracy, missing) => {
    expect(keywordCoverage(KEYWORDS, chunks)).toEqual({ recall, accuracy, missing });
  });

  test('a topic with several coarse keywords admits chunks with any of them', () => {
    const keywords = { coarse: ['tour eiffel', 'eiffel tower'], fine: [['1889']] };
    expect(keywordCoverage(keywords, ['La Tour Eiffel: 1889']).accuracy).toBe(1);
  });

  test('as published, removing white space joins words and chunks to words that nobody wrote', () => {
    const carpet = { coarse: ['shop'], fine: [['carpet']] };
    const inOneChunk = ['shop: one car, pet food'];
    const overTwoChunks = ['shop: one car', 'pet shop'];
    for (const chunks of [inOneChunk, overTwoChunks]) {
      expect(keywordCoverage(carpet, chunks).accuracy).toBe(1);
      expect(keywordCoverage(carpet, chunks, { keepApart: true }).accuracy).toBe(0);
    }
    expect(keywordCoverage(carpet, ['shop: a carpet'], { keepApart: true }).accuracy).toBe(1);
  });

  test('kept apart, punctuation is a border of words, but not beside ideographs', () => {
    const keywords = { coarse: ['東京 タワー'], fine: [['高さ 333', 'New-York']] };
    const covered = (chunk: string) => keywordCoverage(keywords, [chunk], { keepApart: true }).missing;
    expect(covered('東京タワーの高さ333 m; new york')).toEqual([]);
    expect(covered('東京、タワーの高さ、333 m; newyork')).toEqual(['New-York']);
    expect(covered('東京タワーの高さ 33 3 m; New York')).toEqual(['高さ 333']);
  });

  test('refuses what has no keywords', () => {
    for (const keywords of [
      { coarse: [], fine: [['x']] },
      { coarse: ['x'], fine: [] },
      { coarse: ['x'], fine: [[]] },
      { coarse: ['?!'], fine: [['x']] },
      { coarse: ['x'], fine: [['x', ' ']] },
    ]) {
      expect(() => keywordCoverage(keywords, ['x'])).toThrow(/keyword/);
    }
    expect(() => keywordCoverage(KEYWORDS, [], { joins: true } as object)).toThrow(/no option joins/);
  });
});

describe('the cascade of stages', () => {
  const both = { keywords: KEYWORDS, corpus: [FIRST, SECOND, OTHER_TOPIC] };

  test('counts a query at the first stage that has everything', () => {
    const losses = stageLosses(
      [
        { ...both, retrieved: [FIRST, SECOND, OTHER_TOPIC] },
        { ...both, retrieved: [FIRST, OTHER_TOPIC, SECOND] },
        { ...both, retrieved: [FIRST] },
        { keywords: KEYWORDS, retrieved: [FIRST], corpus: [FIRST, OTHER_TOPIC] },
        { ...both, retrieved: [] },
      ],
      { k: 2 },
    );
    expect(losses.foundAt).toEqual(['top', 'retrieved', 'corpus', 'nowhere', 'corpus']);
    expect(losses.cumulative).toEqual({ top: 1 / 5, retrieved: 2 / 5, corpus: 4 / 5 });
  });

  test('makes the answer from four chunks unless told otherwise', () => {
    const at = (place: number) => {
      const retrieved = Array.from({ length: 6 }, (_, i) => (i === place ? FIRST + SECOND : 'x'));
      return stageLosses([{ ...both, retrieved }]).foundAt[0];
    };
    expect([at(3), at(4)]).toEqual(['top', 'retrieved']);
  });

  test('hands the way of comparing on', () => {
    const query = {
      keywords: { coarse: ['s'], fine: [['carpet']] },
      retrieved: ['s car pet'],
      corpus: ['s'],
    };
    expect(stageLosses([query]).foundAt).toEqual(['top']);
    expect(stageLosses([query], { keepApart: true }).foundAt).toEqual(['nowhere']);
  });

  test('refuses no queries, and a k that is no rank', () => {
    expect(() => stageLosses([])).toThrow(/no query/);
    expect(() => stageLosses([{ ...both, retrieved: [] }], { k: 0 })).toThrow(/k must be/);
  });
});
