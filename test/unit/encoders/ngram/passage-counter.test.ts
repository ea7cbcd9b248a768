import fc from 'fast-check';
import { expect, test } from 'vitest';
import { encodeNgramStatistics, NgramStatistics } from '../../../../src/encoders/ngram/ngram-statistics.js';
import { PassageCounter } from '../../../../src/encoders/ngram/passage-counter.js';
import { textFeatures } from '../../../../src/encoders/ngram/text-features.js';

function counted(passages: readonly string[]): NgramStatistics {
  const statistics = new NgramStatistics();
  const counter = new PassageCounter(statistics);
  for (const passage of passages) counter.count(passage);
  counter.finish();
  return statistics;
}

/** Every feature of every passage by itself. */
function expected(passages: readonly string[]): NgramStatistics {
  const statistics = new NgramStatistics();
  for (const passage of passages) {
    statistics.addPassages(1);
    for (const group of textFeatures(passage).groups) {
      for (const feature of group.keys()) statistics.add(feature, 1);
    }
  }
  return statistics;
}

const same = (a: NgramStatistics, b: NgramStatistics) =>
  Buffer.compare(encodeNgramStatistics(a), encodeNgramStatistics(b)) === 0;

test('passages are counted as feature by feature', () => {
  const word = fc.string({ unit: fc.constantFrom('a', 'b', 'é', '1', '’'), minLength: 1, maxLength: 5 });
  const text = fc.array(word, { maxLength: 30 }).map((words) => words.join(' '));
  fc.assert(
    fc.property(fc.array(text, { maxLength: 12 }), (passages) => same(counted(passages), expected(passages))),
    { numRuns: 15 },
  );
});

test('so are passages of very many features, words that nobody keeps, and more of them than are kept', () => {
  const many = Array.from({ length: 40_000 }, (_, i) => `w${i.toString(36)}x`);
  const passages = [
    many.join(' '),
    'a pneumonoultramicroscopic pneumonoultramicroscopic b',
    many.slice(0, 50).join(' '),
    '',
    'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa',
  ];
  expect(same(counted(passages), expected(passages))).toBe(true);
});
