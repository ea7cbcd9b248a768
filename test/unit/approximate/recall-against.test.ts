import { describe, expect, it } from 'vitest';
import { recallAgainst } from '../../../src/approximate/index.js';

const list = (...rows: number[]) => ({ rows: Uint32Array.from(rows) });

describe('recallAgainst', () => {
  it('is the share of the first k exact rows that are among the first k found, in any order', () => {
    expect(recallAgainst(list(4, 2, 7, 1), list(7, 4, 9, 2), 3)).toBe(2 / 3);
    expect(recallAgainst(list(4, 2, 7, 1), list(7, 4, 9, 2), 4)).toBe(3 / 4);
    expect(recallAgainst(list(1, 2), list(2, 1), 2)).toBe(1);
    expect(recallAgainst(list(1, 2), list(3), 2)).toBe(0);
  });

  it('asks for no more rows than there are', () => {
    expect(recallAgainst(list(1, 2), list(1), 10)).toBe(0.5);
    expect(recallAgainst(list(), list(), 10)).toBe(1);
    expect(recallAgainst(list(5), list(), 1)).toBe(0);
  });

  it.each([0, 1.5, Number.NaN])('refuses k = %s', (k) => {
    expect(() => recallAgainst(list(1), list(1), k)).toThrow(
      expect.objectContaining({ code: 'K_OUT_OF_RANGE' }),
    );
  });
});
