import fc from 'fast-check';
import { expect } from 'vitest';
import { type RankedList, rankedList } from '../../../src/ranking/ranked-list.js';

/** A ranked list from pairs of row and score. */
export function list(...places: readonly (readonly [row: number, score: number])[]): RankedList {
  return rankedList(
    places.map(([row]) => row),
    places.map(([, score]) => score),
  );
}

/** Row and score of each place, best first. */
export function places({ rows, scores }: RankedList): [number, number][] {
  return [...rows].map((row, place) => [row, scores[place]!]);
}

/** What a list says of a row; undefined where it lacks it. */
export function scoreOf({ rows, scores }: RankedList, row: number): number | undefined {
  const place = rows.indexOf(row);
  return place === -1 ? undefined : scores[place];
}

/** Lists of up to 12 of 20 rows, with scores that are often equal. */
export const someList: fc.Arbitrary<RankedList> = fc
  .uniqueArray(
    fc.tuple(
      fc.nat(19),
      fc.oneof(fc.integer({ min: -3, max: 5 }), fc.double({ min: -50, max: 50, noNaN: true })),
    ),
    { selector: ([row]) => row, maxLength: 12 },
  )
  .map((pairs) => list(...pairs));

/** As `someList`, with at least one place. */
export const filledList = someList.filter(({ rows }) => rows.length > 0);

/** Sorted as every ranked list is: descending, the lower row first among equals. */
export function isRanked({ rows, scores }: RankedList): boolean {
  return [...rows.keys()].every(
    (place) =>
      place === 0 ||
      scores[place - 1]! > scores[place]! ||
      (scores[place - 1] === scores[place] && rows[place - 1]! < rows[place]!),
  );
}

export const A = list([1, 10], [2, 6], [3, 2]);
export const B = list([3, 0.9], [1, 0.5], [4, 0.1]);

/** Every row of any of the lists. */
export function allRows(of: readonly RankedList[]): number[] {
  return [...new Set(of.flatMap(({ rows }) => [...rows]))];
}

/** Compares a fused list with a slow form that gives one row's score. */
export function expectScores(
  fused: RankedList,
  of: readonly RankedList[],
  slow: (row: number) => number,
): void {
  expect(isRanked(fused)).toBe(true);
  expect([...fused.rows].sort()).toEqual(allRows(of).sort());
  for (const [row, score] of places(fused)) {
    const expected = slow(row);
    expect(Math.abs(score - expected)).toBeLessThanOrEqual(1e-11 * (1 + Math.abs(expected)));
  }
}

/** Ranks from 1. */
export function rankOf(inside: RankedList, row: number): number | undefined {
  const place = inside.rows.indexOf(row);
  return place === -1 ? undefined : place + 1;
}

/** The sum over the lists. */
export function total(of: readonly RankedList[], term: (list: RankedList, i: number) => number): number {
  return of.reduce((sum, each, i) => sum + term(each, i), 0);
}
