import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { rowFilter } from '../../../src/index.js';

describe('rowFilter', () => {
  it('sets bit r & 7 of byte r >> 3', () => {
    expect([...rowFilter(17, [0, 9, 16, 9])]).toEqual([0b1, 0b10, 0b1]);
    expect([...rowFilter(8, [])]).toEqual([0]);
    expect(rowFilter(0, [])).toHaveLength(0);
  });

  it('allows exactly the rows that it was given', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 200 }), fc.array(fc.nat({ max: 199 })), (rows, numbers) => {
        const allowed = new Set(numbers.filter((row) => row < rows));
        const filter = rowFilter(rows, allowed);
        expect(filter).toHaveLength(Math.ceil(rows / 8));
        for (let row = 0; row < filter.length * 8; row++) {
          expect((filter[row >> 3]! & (1 << (row & 7))) !== 0).toBe(allowed.has(row));
        }
      }),
    );
  });

  it.each([-1, 8, 1.5, Number.NaN])('refuses row %d of 8', (row) => {
    expect(() => rowFilter(8, [row])).toThrow(expect.objectContaining({ code: 'FILTER_INVALID' }));
  });

  it.each([-1, 1.5, Number.NaN, 2 ** 33])('refuses %d rows', (rows) => {
    expect(() => rowFilter(rows, [])).toThrow(expect.objectContaining({ code: 'FILTER_INVALID' }));
  });
});
