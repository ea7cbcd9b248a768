import { describe, expect, it } from 'vitest';
import { wholeNumber } from '../../../src/cli/option-values.js';

describe('wholeNumber', () => {
  it('reads digits', () => {
    expect(wholeNumber(1)('500')).toBe(500);
    expect(wholeNumber(0)('0')).toBe(0);
  });

  it.each(['', '0', '-1', '1.5', '1e3', '0x10', ' 7', '٣', '99999999999999999999', 'ten'])(
    'refuses %j',
    (value) => {
      expect(() => wholeNumber(1)(value)).toThrow(/whole number/);
    },
  );
});
