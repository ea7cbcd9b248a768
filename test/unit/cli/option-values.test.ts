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

describe('numbers and shares from 0', () => {
  it('read 0, and what lies above it', () => {
    expect(['0', '0.01', '3'].map(numberFromZero)).toEqual([0, 0.01, 3]);
    expect(['0', '0.1', '0.999'].map(shareFromZero)).toEqual([0, 0.1, 0.999]);
  });

  it.each(['', ' ', '-0.1', 'NaN', 'Infinity', 'few'])('refuse %j', (value) => {
    expect(() => numberFromZero(value)).toThrow('at least 0');
    expect(() => shareFromZero(value)).toThrow('at least 0');
  });

  it('refuse a share of 1', () => {
    expect(() => shareFromZero('1')).toThrow('below 1');
  });
});
