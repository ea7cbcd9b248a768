import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { flagPath } from '../../../../src/demo/countries/flag-images.js';

test('a country code in either case leads to an SVG', () => {
  expect(flagPath('FR')).toBe(flagPath('fr'));
  expect(existsSync(flagPath('NP'))).toBe(true);
  expect(readFileSync(flagPath('NP'), 'utf8')).toContain('<svg');
});

test('anything else is refused', () => {
  for (const code of ['', 'F', 'FRA', '../fr', 'F1']) {
    expect(() => flagPath(code)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
  }
  expect(() => flagPath('ZZ')).toThrow(expect.objectContaining({ code: 'FILE_NOT_FOUND' }));
});
