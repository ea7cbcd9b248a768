import { describe, expect, it } from 'vitest';
import {
  bm25Saturation,
  checkBm25Parameters,
  type IdfKind,
  inverseDocumentFrequency,
  termFrequencies,
} from '../../../src/text/bm25-weights.js';

const invalid = expect.objectContaining({ code: 'INVALID_ARGUMENT' });

describe('inverse document frequency', () => {
  it.each([
    // (10 - 2 + .5) / (2 + .5) = 3.4
    [10, 2, 'lucene', Math.log(4.4)],
    [10, 2, 'classic', Math.log(3.4)],
    [10, 2, 'classic-floored', Math.log(3.4)],
    // (10 - 9 + .5) / (9 + .5) = 1.5 / 9.5
    [10, 9, 'lucene', Math.log(11 / 9.5)],
    [10, 9, 'classic', Math.log(1.5 / 9.5)],
    [10, 9, 'classic-floored', 0],
    [10, 5, 'classic', 0],
    [0, 0, 'lucene', Math.log(2)],
  ] as [number, number, IdfKind, number][])(
    'of %i rows, %i with the term, %s',
    (rows, df, kind, expected) => {
      expect(inverseDocumentFrequency(rows, df, kind)).toBeCloseTo(expected, 14);
    },
  );

  it('falls with the document frequency, and is above 0 in the form of Lucene', () => {
    for (let df = 1; df <= 20; df++) {
      expect(inverseDocumentFrequency(20, df)).toBeLessThan(inverseDocumentFrequency(20, df - 1));
      expect(inverseDocumentFrequency(20, df)).toBeGreaterThan(0);
    }
  });

  it.each([
    [1, 2],
    [1, -1],
    [1.5, 1],
    [2, 0.5],
    [2, Number.NaN],
  ])('is refused for %d rows and %d', (rows, df) => {
    expect(() => inverseDocumentFrequency(rows, df)).toThrowError(invalid);
  });

  it('is refused in a form that there is not', () => {
    expect(() => inverseDocumentFrequency(2, 1, 'toString' as IdfKind)).toThrowError(invalid);
  });
});

it('saturation is that of the formula', () => {
  for (const [k1, b, average, length, tf] of [
    [0.9, 0.4, 50, 30, 2],
    [1.2, 0.75, 7.5, 20, 1],
    [0, 1, 3, 3, 4],
    [2, 0, 3, 9, 1],
  ] as const) {
    const { base, slope } = bm25Saturation({ k1, b }, average);
    expect(tf / (tf + base + slope * length)).toBeCloseTo(
      tf / (tf + k1 * (1 - b + (b * length) / average)),
      14,
    );
  }
  expect(bm25Saturation({ k1: 1, b: 1 }, 0)).toEqual({ base: 0, slope: 0 });
});

it('parameters have defaults and limits', () => {
  expect(checkBm25Parameters({})).toEqual({ k1: 0.9, b: 0.4, idf: 'lucene' });
  expect(checkBm25Parameters({ k1: 0, b: 1, idf: 'classic' })).toEqual({ k1: 0, b: 1, idf: 'classic' });
  for (const wrong of [
    { k1: -1 },
    { k1: Number.POSITIVE_INFINITY },
    { b: 1.1 },
    { b: -0.1 },
    { b: Number.NaN },
    { idf: 'x' as IdfKind },
  ]) {
    expect(() => checkBm25Parameters(wrong)).toThrowError(invalid);
  }
});

it('term frequencies count repeats', () => {
  expect([...termFrequencies(['a', 'b', 'a'])]).toEqual([
    ['a', 2],
    ['b', 1],
  ]);
});
