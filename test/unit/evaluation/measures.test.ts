import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { evaluateRun } from '../../../src/evaluation/evaluate-run.js';
import type { Run } from '../../../src/evaluation/run.js';
import { measureNames } from '../../../src/evaluation/select-measures.js';
import { slowMeasures } from './slow-measures.js';

const EVERYTHING = measureNames().families;
/** Names whose order by bytes is that of their numbers. */
const documentId = (i: number) => `d${String(i).padStart(3, '0')}`;

function runOf(scores: ReadonlyMap<string, number>): Run {
  return {
    tag: 't',
    queries: new Map([['q', { documents: [...scores.keys()], scores: Float64Array.from(scores.values()) }]]),
  };
}

/** One query: documents by number, some retrieved with one of few scores (so that many tie), some judged. */
const cases = fc.record({
  level: fc.integer({ min: 1, max: 3 }),
  retrieved: fc.uniqueArray(
    fc.record({ document: fc.nat(79), score: fc.constantFrom(-1, -0.5, 0, 0.25, 0.5, 0.75, 1) }),
    { selector: ({ document }) => document, maxLength: 60 },
  ),
  judged: fc.uniqueArray(fc.record({ document: fc.nat(79), grade: fc.integer({ min: -2, max: 4 }) }), {
    selector: ({ document }) => document,
    maxLength: 60,
  }),
});

describe('every measure', () => {
  it('is its definition, computed slowly, on random lists with ties, grades and documents that nobody judged', () => {
    const seen = new Set<string>();
    fc.assert(
      fc.property(cases, ({ level, retrieved, judged }) => {
        const grades = new Map(judged.map(({ document, grade }) => [document, grade]));
        const inOrder = retrieved.toSorted((a, b) => b.score - a.score || b.document - a.document);
        const expected = slowMeasures({
          ranked: inOrder.map(({ document }) => grades.get(document) ?? null),
          scores: inOrder.map(({ score }) => score),
          judgements: [...grades.values()],
          level,
        });
        const { perQuery } = evaluateRun(
          new Map([['q', new Map(judged.map(({ document, grade }) => [documentId(document), grade]))]]),
          runOf(new Map(retrieved.map(({ document, score }) => [documentId(document), score]))),
          { measures: EVERYTHING, relevanceLevel: level },
        );
        expect([...perQuery.keys()].sort()).toEqual(Object.keys(expected).sort());
        for (const [name, [value]] of perQuery) {
          expect(value, name).toBeCloseTo(expected[name]!, 9);
          if (value !== 0) seen.add(name);
        }
      }),
      { numRuns: 300 },
    );
    // A value that is 0 in every case would compare nothing.
    expect([...seen].sort()).toEqual(
      Object.keys(slowMeasures({ ranked: [], scores: [], judgements: [], level: 1 })).sort(),
    );
  });

  it.each<[string, Record<string, number>, Record<string, number>]>([
    ['nothing was retrieved', {}, { a: 1, b: 0 }],
    ['nothing was judged', { a: 1, b: 0.5 }, {}],
    ['nothing is relevant', { a: 1, b: 0.5 }, { a: 0, b: 0 }],
    ['one document, relevant', { a: 1 }, { a: 1 }],
    ['one document, not relevant', { a: 1 }, { a: 0 }],
    ['relevant documents are all missing', { a: 1, b: 0.5 }, { c: 2, d: 1 }],
    ['all relevant, none judged otherwise', { a: 1, b: 0.5, c: 0 }, { a: 1, b: 1, c: 3 }],
    ['nobody judged what was retrieved', { a: 1 }, { a: -1, b: 1 }],
  ])('is a number where %s', (_, retrieved, judged) => {
    const { perQuery, aggregate } = evaluateRun(
      new Map([['q', new Map(Object.entries(judged))]]),
      runOf(new Map(Object.entries(retrieved))),
      { measures: EVERYTHING },
    );
    const expected = slowMeasures({
      ranked: Object.keys(retrieved).map((id) => judged[id] ?? null),
      scores: Object.values(retrieved),
      judgements: Object.values(judged),
      level: 1,
    });
    for (const [name, [value]] of perQuery) expect(value, name).toBeCloseTo(expected[name]!, 12);
    for (const [name, value] of aggregate) expect(value, name).not.toBeNaN();
  });
});

describe('a perfect list', () => {
  it('has the value 1 for every measure that can reach it', () => {
    const { aggregate } = evaluateRun(
      new Map([['q', new Map(Object.entries({ a: 1, b: 1, c: 0 }))]]),
      runOf(new Map(Object.entries({ a: 3, b: 2, c: 1 }))),
      {
        measures: [
          'map',
          'gm_map',
          'Rprec',
          'bpref',
          'ndcg',
          'ndcg_rel',
          'Rndcg',
          'binG',
          'G',
          'circo_map',
          'infAP',
        ],
      },
    );
    for (const [name, value] of aggregate) expect(value, name).toBeCloseTo(1, 4);
  });
});

describe('nDCG', () => {
  const grades = { a: 1, b: 3 };
  const value = (measure: string) =>
    evaluateRun(
      new Map([['q', new Map(Object.entries(grades))]]),
      runOf(
        new Map([
          ['a', 2],
          ['b', 1],
        ]),
      ),
      {
        measures: [measure],
      },
    ).aggregate.get(measure);

  it('takes linear gains, and 2^relevance - 1 where it is that of Burges', () => {
    expect(value('ndcg_cut_10')).toBeCloseTo((1 + 3 / Math.log2(3)) / (3 + 1 / Math.log2(3)), 12);
    expect(value('ndcg_burges_10')).toBeCloseTo((1 + 7 / Math.log2(3)) / (7 + 1 / Math.log2(3)), 12);
  });
});

describe('a parameter', () => {
  it.each([
    // set_P 1/2, set_recall 1/4: (x + 1) P R / (R + x P) with x = 3.
    ['set_F.3', (4 * 0.5 * 0.25) / (0.25 + 3 * 0.5)],
    ['rbp.0.5', 0.25],
    ['rbp_resid.0.5', 0.25],
    ['Rprec_mult.0.5', 0.5],
    ['relative_P.3', 1 / 3],
  ])('%s takes effect: %d', (measure, expected) => {
    const grades = { a: 0, b: 1, c: 1, d: 1, e: 1 };
    const found = runOf(new Map(Object.entries({ a: 2, b: 1 })));
    const { aggregate } = evaluateRun(new Map([['q', new Map(Object.entries(grades))]]), found, {
      measures: [measure],
    });
    expect([...aggregate.values()]).toEqual([expect.closeTo(expected, 12)]);
  });
});

describe('mSD', () => {
  const grades = new Map([
    [
      'q',
      new Map([
        ['x', 1],
        ['y', 0],
        ['z', 1],
      ]),
    ],
  ]);
  const msd = (scores: [string, number][]) =>
    evaluateRun(grades, runOf(new Map(scores)), { measures: ['msd'] }).aggregate.get('msd')!;

  it('sums similarities in rank order, not in the order in which the gallery lies', () => {
    const gallery: [string, number][] = [
      ['y', 0.6],
      ['z', 0.2],
      ['x', 0.8],
    ];
    // s = .9 (x), .8 (y), .6 (z): by rank 1 and (.9 + .6) / 2.3. With the gallery's order of s under the ranks it would be another sum.
    const rho = (0.9 + 0.6) / 2 / 0.8;
    const factor = 1 - Math.exp(-rho);
    expect(msd(gallery)).toBeCloseTo(100 * ((1 + 1.5 / 2.3) / 2) * factor, 10);
    const unsorted = 100 * ((0.8 / 0.8 + (0.8 + 0.9) / (0.8 + 0.6 + 0.9)) / 2) * factor;
    expect(msd(gallery)).not.toBeCloseTo(unsorted, 1);
  });

  it('does not depend on the order of the gallery', () => {
    expect(
      msd([
        ['x', 0.8],
        ['y', 0.6],
        ['z', 0.2],
      ]),
    ).toBe(
      msd([
        ['z', 0.2],
        ['x', 0.8],
        ['y', 0.6],
      ]),
    );
  });

  it('refuses scores that are no cosines, but not their rounding', () => {
    expect(
      msd([
        ['x', 1.000001],
        ['y', -1],
      ]),
    ).toBeCloseTo(50, 3);
    expect(() =>
      msd([
        ['x', 12],
        ['y', 3],
      ]),
    ).toThrowError(
      expect.objectContaining({ code: 'INVALID_ARGUMENT', message: expect.stringContaining('cosines') }),
    );
  });
});
