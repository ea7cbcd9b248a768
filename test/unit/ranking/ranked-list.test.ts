import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { firstPlaces, rankedList, rankedLists, rowsOfAny } from '../../../src/ranking/ranked-list.js';

describe('rankedList', () => {
  it('puts higher scores first, and the lower row of equal ones', () => {
    const { rows, scores } = rankedList([7, 3, 5, 1], [1, 2, 2, -Infinity]);
    expect([...rows]).toEqual([3, 5, 7, 1]);
    expect([...scores]).toEqual([2, 2, 1, -Infinity]);
  });

  it('keeps every row with its score, whatever the order', () => {
    const item = fc.tuple(fc.nat(0xffffffff), fc.double({ noNaN: true }));
    fc.assert(
      fc.property(fc.uniqueArray(item, { selector: ([row]) => row }), (items) => {
        const { rows, scores } = rankedList(
          items.map(([row]) => row),
          items.map(([, score]) => score),
        );
        const byRow = new Map(items);
        expect(rows.length).toBe(items.length);
        for (let i = 0; i < rows.length; i++) {
          expect(scores[i]).toBe(byRow.get(rows[i]!));
          if (i === 0) continue;
          const better = scores[i - 1]! > scores[i]!;
          expect(better || (scores[i - 1] === scores[i] && rows[i - 1]! < rows[i]!)).toBe(true);
        }
      }),
    );
  });

  it.each([
    ['LENGTH_MISMATCH', [1, 2], [1]],
    ['INVALID_ARGUMENT', [1, 1], [1, 2]],
    ['INVALID_ARGUMENT', [-1], [1]],
    ['INVALID_ARGUMENT', [0.5], [1]],
    ['NOT_FINITE', [1], [Number.NaN]],
  ])('refuses with %s rows %j with scores %j', (code, rows, scores) => {
    expect(() => rankedList(rows, scores)).toThrow(expect.objectContaining({ code }));
  });
});

it('rankedLists leaves out unused places', () => {
  const lists = rankedLists({
    queries: 2,
    k: 2,
    rows: Uint32Array.of(4, 2, 9, 0xffffffff),
    scores: Float32Array.of(3, 1, 2, -Infinity),
    counts: Uint32Array.of(2, 1),
    certificate: { thresholds: new Float32Array(2), rowsScanned: 10, rowsRescored: new Uint32Array(2) },
  });
  expect(lists.map(({ rows, scores }) => [[...rows], [...scores]])).toEqual([
    [
      [4, 2],
      [3, 1],
    ],
    [[9], [2]],
  ]);
});

it('firstPlaces cuts, and refuses to cut everything', () => {
  const list = rankedList([1, 2, 3], [3, 2, 1]);
  expect([...firstPlaces(list, 2).rows]).toEqual([1, 2]);
  expect([...firstPlaces(list, 9).rows]).toEqual([1, 2, 3]);
  expect(() => firstPlaces(list, 0)).toThrow(expect.objectContaining({ code: 'K_OUT_OF_RANGE' }));
});

it('rowsOfAny is the union, ascending', () => {
  expect([...rowsOfAny([rankedList([30, 4], [1, 2]), rankedList([4, 200], [1, 2])])]).toEqual([4, 30, 200]);
  expect([...rowsOfAny([])]).toEqual([]);
});
