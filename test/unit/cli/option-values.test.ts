import { describe, expect, it } from 'vitest';
import { numberFromZero, shareFromZero, wholeNumber } from '../../../src/cli/option-values.js';

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

describe('numbers from 0', () => {
  it('reads them', () => {
    expect(['0', '0.5', '1e3'].map(numberFromZero)).toEqual([0, 0.5, 1000]);
    expect(['0', '0.999'].map(shareFromZero)).toEqual([0, 0.999]);
  });

  it.each(['', ' ', '-0.1', 'NaN', 'Infinity', 'x'])('refuses %j', (value) => {
    expect(() => numberFromZero(value)).toThrow('at least 0');
    expect(() => shareFromZero(value)).toThrow('at least 0');
  });

  it('refuses a share of 1', () => {
    expect(() => shareFromZero('1')).toThrow('below 1');
  });
});
