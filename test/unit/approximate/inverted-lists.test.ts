import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { invertLists, listRows } from '../../../src/approximate/inverted-lists.js';

describe('invertLists', () => {
  it('has each row once in every list that it names, rows ascending', () => {
    const names = fc.array(fc.array(fc.nat(6), { maxLength: 9 }), { maxLength: 12 });
    fc.assert(
      fc.property(names, (rows) => {
        const ends = Uint32Array.from(rows, (_, row) => rows.slice(0, row + 1).flat().length);
        const lists = invertLists(7, Uint32Array.from(rows.flat()), ends);
        for (let list = 0; list < 7; list++) {
          const expected = [...rows.keys()].filter((row) => rows[row]!.includes(list));
          expect([...listRows(lists, list)]).toEqual(expected);
        }
      }),
    );
  });

  it('takes one name per row by default', () => {
    const lists = invertLists(4, Uint32Array.of(2, 0, 2, 3));
    expect([...lists.offsets]).toEqual([0, 1, 1, 3, 4]);
    expect([...lists.rows]).toEqual([1, 0, 2, 3]);
  });
});
