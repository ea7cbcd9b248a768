import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type BoxPlace,
  dempsterShafer,
  evidenceTriples,
  itemsOfTriples,
  layoutPrior,
  type ModalityLists,
  relationPrior,
} from '../../../src/fusion/index.js';
import { filledList, list, places } from './some-lists.js';

const LISTS: ModalityLists = {
  texts: list([10, 0.9], [11, 0.6], [12, 0.2]),
  images: list([20, 30], [21, 10]),
  pages: list([30, 1], [31, 0.5]),
};

/** The masses combined from the definition: sums over pairs of sets that meet, normalised. */
function slowLikelihood(beliefs: readonly number[], alpha: number, beta: number): number {
  let [yes, no, open] = [0, 0, 1];
  for (const belief of beliefs) {
    const [y, n] = [alpha * belief, beta * (1 - belief)];
    const o = 1 - y - n;
    const agreed = 1 - yes * n - no * y;
    [yes, no, open] = [
      (yes * y + yes * o + open * y) / agreed,
      (no * n + no * o + open * n) / agreed,
      (open * o) / agreed,
    ];
  }
  return yes + open / 2;
}

describe('triples', () => {
  it('are all combinations with the posterior of their definition, best first', () => {
    const triples = evidenceTriples(LISTS, (text, image, page) => (text! + image! + page! === 63 ? 1 : 0.1));
    expect(triples).toHaveLength(12);
    const belief = new Map<number, number>([
      [10, 1],
      [11, 0.6 / 0.9],
      [12, 0.2 / 0.9],
      [20, 1],
      [21, 1 / 3],
      [30, 1],
      [31, 0.5],
    ]);
    for (const [i, { text, image, page, likelihood, prior, posterior }] of triples.entries()) {
      const expected = slowLikelihood(
        [text!, image!, page!].map((row) => belief.get(row)!),
        0.7,
        0.9,
      );
      expect(likelihood).toBeCloseTo(expected, 12);
      expect(prior).toBe(text! + image! + page! === 63 ? 1 : 0.1);
      expect(posterior).toBe(likelihood * prior);
      if (i > 0) expect(posterior).toBeLessThanOrEqual(triples[i - 1]!.posterior);
    }
    expect(new Set(triples.map(({ text, image, page }) => `${text} ${image} ${page}`)).size).toBe(12);
  });

  it('of one and the same list are what fusion by evidence makes of it', () => {
    fc.assert(
      fc.property(filledList, (one) => {
        const fused = dempsterShafer([one, one, one]);
        const same = evidenceTriples({ texts: one, images: one, pages: one }, () => 1).filter(
          ({ text, image, page }) => text === image && image === page,
        );
        expect(same.length).toBe(one.rows.length);
        for (const { text, likelihood } of same) {
          expect(likelihood).toBe(fused.scores[fused.rows.indexOf(text!)]);
        }
      }),
      { numRuns: 30 },
    );
  });

  it('take the first candidates of each list, measured by the whole list', () => {
    const triples = evidenceTriples(LISTS, () => 1, { candidates: 1 });
    expect(triples).toHaveLength(1);
    // Alone the first two texts would be a flat list; the third makes it a spread one.
    const texts = list([10, 1], [11, 0.95], [12, 0.1]);
    const [first, second] = evidenceTriples({ ...LISTS, texts }, () => 1, { candidates: 2 }).filter(
      ({ image, page }) => image === 20 && page === 30,
    );
    expect(first!.likelihood).toBeGreaterThan(second!.likelihood);
  });

  it('of equal posterior and likelihood stay in the order of the lists', () => {
    const flat = (first: number) => list([first, 1], [first + 1, 1]);
    const triples = evidenceTriples({ texts: flat(10), images: flat(20), pages: flat(30) }, () => 0.5);
    expect(triples.map(({ text, image, page }) => `${text} ${image} ${page}`)).toEqual([
      '10 20 30',
      '10 20 31',
      '10 21 30',
      '10 21 31',
      '11 20 30',
      '11 20 31',
      '11 21 30',
      '11 21 31',
    ]);
  });

  it('of equal posterior come in the order of their likelihood', () => {
    const triples = evidenceTriples(LISTS, () => 0);
    const likelihoods = triples.map(({ likelihood }) => likelihood);
    expect(likelihoods).toEqual([...likelihoods].sort((a, b) => b - a));
    // In the order of the lists 10 21 31 would come first.
    const at = (text: number, image: number, page: number): number =>
      triples.findIndex((each) => each.text === text && each.image === image && each.page === page);
    expect(at(11, 20, 30)).toBeLessThan(at(10, 21, 31));
  });

  it('do without a kind of which nothing was found', () => {
    const triples = evidenceTriples({ ...LISTS, images: list() }, (_, image) =>
      image === undefined ? 1 : 0,
    );
    expect(triples).toHaveLength(6);
    expect(triples[0]).toMatchObject({ text: 10, image: undefined, page: 30 });
    expect(triples[0]!.likelihood).toBeCloseTo(slowLikelihood([1, 1], 0.7, 0.9), 12);
    expect(evidenceTriples({ texts: list(), images: list(), pages: list() }, () => 1)).toEqual([]);
  });

  it.each([-0.1, 1.5, Number.NaN])('refuse the prior %s', (prior) => {
    expect(() => evidenceTriples(LISTS, () => prior)).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
    );
  });

  it.each([{ candidates: 0 }, { alpha: 2 }, { quota: 5 }])('refuse %j', (options) => {
    expect(() => evidenceTriples(LISTS, () => 1, options as never)).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
    );
  });
});

describe('items of triples', () => {
  it('are each there once, by their best triple, until the quotas', () => {
    const triples = evidenceTriples(LISTS, (text) => (text === 11 ? 1 : 0.1));
    const items = itemsOfTriples(triples, { texts: 2, images: 1 });
    const best = (of: (triple: (typeof triples)[number]) => boolean): number =>
      Math.max(...triples.filter(of).map(({ posterior }) => posterior));
    expect(places(items.texts)).toEqual([
      [11, best(({ text }) => text === 11)],
      [10, best(({ text }) => text === 10)],
    ]);
    expect(places(items.images)).toEqual([[20, best(({ image }) => image === 20)]]);
    expect([...items.pages.rows]).toEqual([30, 31]);
  });

  it('may be none', () => {
    const items = itemsOfTriples(
      evidenceTriples(LISTS, () => 1),
      { texts: 0 },
    );
    expect(places(items.texts)).toEqual([]);
    expect(places(itemsOfTriples([]).pages)).toEqual([]);
    expect(() => itemsOfTriples([], { texts: -1 })).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
    );
  });

  it('leave out a kind of which nothing was found', () => {
    const items = itemsOfTriples(evidenceTriples({ ...LISTS, images: list() }, () => 1));
    expect(places(items.images)).toEqual([]);
    expect([...items.texts.rows]).toEqual([10, 11, 12]);
  });
});

describe('the prior by layout', () => {
  const at = (page: number, x: number, y: number, document = 'a'): BoxPlace => ({
    document,
    page,
    box: [x - 1, y - 1, x + 1, y + 1],
    pageSize: [30, 40],
  });

  // The diagonal is 50: the bound is 100, with pages of height 40 below one another.
  it.each<[number, string, BoxPlace, BoxPlace, { document: string; page: number }]>([
    [1, 'all on one page', at(3, 5, 5), at(3, 25, 35), { document: 'a', page: 3 }],
    [1, 'neighbouring pages', at(3, 5, 5), at(4, 5, 5), { document: 'a', page: 4 }],
    [1, 'the image first', at(4, 5, 5), at(3, 5, 35), { document: 'a', page: 4 }],
    [0.1, 'another document of the image', at(3, 5, 5), at(3, 5, 5, 'b'), { document: 'a', page: 3 }],
    [0.1, 'another document of the page', at(3, 5, 5), at(3, 5, 5), { document: 'b', page: 3 }],
    [1, 'two pages apart, centres 99 apart', at(3, 5, 1), at(5, 5, 20), { document: 'a', page: 4 }],
    [0.1, 'two pages apart, centres 100 apart', at(3, 5, 1), at(5, 5, 21), { document: 'a', page: 4 }],
    [0.1, 'the page two away from the text', at(3, 5, 35), at(4, 5, 5), { document: 'a', page: 5 }],
    [0.1, 'the page two away from the image', at(4, 5, 5), at(3, 5, 35), { document: 'a', page: 5 }],
  ])('is %s for %s', (expected, _, text, image, page) => {
    expect(layoutPrior(text, image, page)).toBe(expected);
  });

  it('takes another epsilon and another distance', () => {
    expect(layoutPrior(at(3, 5, 5), at(9, 5, 5), { document: 'a', page: 6 }, { epsilon: 0.3 })).toBe(0.3);
    expect(layoutPrior(at(3, 5, 5), at(9, 5, 5), { document: 'a', page: 6 }, { distance: 5 })).toBe(1);
  });
});

it('the prior by relations is their mean saturation, at least epsilon', () => {
  expect(relationPrior([10, 0, 20])).toBeCloseTo((1 - Math.exp(-1) + 0 + 1 - Math.exp(-2)) / 3, 12);
  expect(relationPrior([0, 0, 0])).toBe(0.1);
  expect(relationPrior([1, 1, 1], { scale: 1, epsilon: 0 })).toBeCloseTo(1 - Math.exp(-1), 12);
});
