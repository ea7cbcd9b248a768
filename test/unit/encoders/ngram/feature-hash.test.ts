import fc from 'fast-check';
import { expect, test } from 'vitest';
import { hashText } from '../../../../src/encoders/ngram/feature-hash.js';

test('hashes are the same on every machine', () => {
  expect([hashText(''), hashText('granule'), hashText('granule', 1), hashText('国')]).toMatchInlineSnapshot(`
    [
      2886220781,
      809145634,
      704670257,
      3607031114,
    ]
  `);
});

test('hashes are 32-bit unsigned integers', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.nat(), (text, seed) => {
      const hash = hashText(text, seed);
      return Number.isInteger(hash) && hash >= 0 && hash < 2 ** 32;
    }),
  );
});

test('words seldom meet', () => {
  const hashes = new Set(Array.from({ length: 20_000 }, (_, i) => hashText(`word ${i}`)));
  expect(hashes.size).toBeGreaterThan(19_990);
});
