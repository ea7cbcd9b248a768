import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { STEMMERS, type StemmerName, stemmer } from '../../../src/text/stemmer.js';

describe('Snowball stems', () => {
  // From the sample vocabulary that the algorithm's description shows.
  it.each(
    `consign:consign consigned:consign consignment:consign consistency:consist consolatory:consolatori consolingly:consol
     conspicuously:conspicu conspiracy:conspiraci knackeries:knackeri knavish:knavish kneeling:kneel knives:knive
     knightly:knight knocker:knocker`
      .split(/\s+/u)
      .map((pair) => pair.split(':') as [string, string]),
  )('%s gives %s', (word, stem) => {
    expect(stemmer('english')(word)).toBe(stem);
  });

  it('of Porter’s first algorithm differ from those of its successor', () => {
    expect(stemmer('porter')('consolingly')).toBe('consolingli');
    expect(stemmer('porter')('caresses')).toBe('caress');
  });

  it.each([
    ['german', 'aufeinanderfolgenden', 'aufeinanderfolg'],
    ['french', 'continuellement', 'continuel'],
    ['spanish', 'chicharrones', 'chicharron'],
    ['russian', 'вавиловка', 'вавиловк'],
  ] as [StemmerName, string, string][])('%s: %s gives %s', (name, word, stem) => {
    expect(stemmer(name)(word)).toBe(stem);
  });

  it('do not depend on which words came before, also when more words come than are kept', () => {
    const stem = stemmer('english');
    const alone = stemmer('english')('running');
    for (let i = 0; i < 70_000; i++) stem(`word${i}`);
    expect(stem('running')).toBe(alone);
    expect(stem('running')).toBe('run');
  });

  it.each(STEMMERS)('%s takes any word', (name) => {
    const stem = stemmer(name);
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 12 }), (word) => {
        expect(typeof stem(word)).toBe('string');
      }),
      { seed: 7, numRuns: 60 },
    );
    for (const word of ['constructor', '__proto__', 'tostring', '']) expect(typeof stem(word)).toBe('string');
  });

  it('are refused for an algorithm that there is not', () => {
    expect(() => stemmer('klingon' as StemmerName)).toThrowError(
      expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
    );
  });
});
