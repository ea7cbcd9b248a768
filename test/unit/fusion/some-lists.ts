import fc from 'fast-check';
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
