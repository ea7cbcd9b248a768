import fc from 'fast-check';
import { expect, it } from 'vitest';
import { plainScan } from '../../../src/cli/bench/plain-scan.js';
import { FlatIndex } from '../../../src/index/flat-index.js';

const value = fc.oneof(
  fc.float({ noNaN: true, noDefaultInfinity: true, min: Math.fround(-1e18), max: Math.fround(1e18) }),
  fc.constantFrom(0, 1, -1),
);

it('gives the rows and the bits of FlatIndex, ties and odd dimensions included', async () => {
  const cases = fc.integer({ min: 1, max: 21 }).chain((dimension) =>
    fc.record({
      dimension: fc.constant(dimension),
      vectors: fc.array(fc.array(value, { minLength: dimension, maxLength: dimension }), {
        minLength: 1,
        maxLength: 12,
      }),
      query: fc.array(value, { minLength: dimension, maxLength: dimension }),
      k: fc.nat(11),
    }),
  );
  await fc.assert(
    fc.asyncProperty(cases, async ({ dimension, vectors, query, k }) => {
      const data = Float32Array.from(vectors.flat());
      const places = 1 + (k % vectors.length);
      using index = new FlatIndex({ dimension, threads: 1 });
      await index.add(data);
      const hits = await index.search(Float32Array.from(query), { k: places });
      const plain = plainScan(data, Float32Array.from(query), dimension, places);
      expect(plain.rows).toEqual(hits.rows);
      expect(plain.scores).toEqual(hits.scores);
    }),
    { seed: 5, numRuns: 200 },
  );
});
