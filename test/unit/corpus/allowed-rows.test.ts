import { expect, it } from 'vitest';
import { bothAllow, countRows, forIndex } from '../../../src/corpus/snapshot/allowed-rows.js';
import { rowFilter } from '../../../src/index/row-filter.js';

it('counts the rows that a filter allows', () => {
  for (const rows of [[], [0], [7, 8], [0, 1, 2, 3, 4, 5, 6, 7, 255]]) {
    expect(countRows(rowFilter(256, rows))).toBe(rows.length);
  }
});

it('allows what both filters allow, and nothing beyond the end of the shorter one', () => {
  const both = bothAllow(rowFilter(20, [1, 5, 9, 19]), rowFilter(10, [5, 6, 9]));
  expect(both).toEqual(rowFilter(20, [5, 9]));
});

it('fits a filter to an index with later rows, which it does not allow', () => {
  const bits = rowFilter(10, [3, 9]);
  expect(forIndex(bits, 10)).toBe(bits);
  expect(forIndex(bits, 40)).toEqual(rowFilter(40, [3, 9]));
});
