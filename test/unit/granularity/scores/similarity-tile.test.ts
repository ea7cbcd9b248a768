import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bestMatches, similarityTile, transposeTile } from '../../../../src/granularity/index.js';
import { FlatIndex } from '../../../../src/index.js';
import { matrix } from '../../../../src/vectors/matrix.js';
import { Seeded } from '../../../conformance/seeded.js';

describe('similarityTile', () => {
  it('holds the scores of the engine, bit for bit, for every shape of blocks and lanes', async () => {
    const shape = fc.record({
      queries: fc.integer({ min: 1, max: 9 }),
      vectors: fc.integer({ min: 1, max: 7 }),
      dimension: fc.integer({ min: 1, max: 35 }),
      seed: fc.nat(),
    });
    await fc.assert(
      fc.asyncProperty(shape, async ({ queries, vectors, dimension, seed }) => {
        const random = new Seeded(seed);
        const query = matrix(random.normal(queries * dimension), dimension);
        const document = matrix(random.normal(vectors * dimension), dimension);
        const tile = await similarityTile(query, document, { threads: 1 + (seed % 3) });
        expect([tile.rows, tile.columns]).toEqual([queries, vectors]);
        const index = new FlatIndex({ dimension });
        await index.add(document);
        const hits = await index.search(query, { k: vectors });
        for (const [place, row] of hits.rows.entries()) {
          expect(tile.data[Math.floor(place / vectors) * vectors + row]).toBe(hits.scores[place]);
        }
        index.dispose();
      }),
    );
  });

  it('adds in float64: small products beside great ones that cancel are not lost', async () => {
    const query = matrix(Float32Array.of(1e6, 1, -1e6), 3);
    const tile = await similarityTile(query, matrix(Float32Array.of(1e6, 1, 1e6), 3));
    expect([...tile.data]).toEqual([1]);
  });

  it.each([[[1, 0, 2, -1]], [[0, 0, 0, 0, 1, 0, 2, -1]], [[1, 0, 0, 0, 2, -1]]])(
    'adds lanes pairwise: %j, ones of 2^54, is 2',
    async (lanes) => {
      const factors = lanes.map((value) => (value === 2 ? [1, 2] : [2 ** 27, value * 2 ** 27]));
      const [query, document] = [0, 1].map((side) =>
        matrix(
          Float32Array.from(factors, (pair) => pair[side]!),
          lanes.length,
        ),
      );
      expect([...(await similarityTile(query!, document!)).data]).toEqual([2]);
    },
  );

  it('of a document without vectors is empty, of a query without vectors refused', async () => {
    const [some, none] = [matrix(Float32Array.of(1, 2), 2), matrix(new Float32Array(0), 2)];
    expect(await similarityTile(some, none)).toEqual({ data: new Float32Array(0), rows: 1, columns: 0 });
    await expect(similarityTile(none, some)).rejects.toMatchObject({ code: 'LENGTH_MISMATCH' });
  });

  it.each([
    ['LENGTH_MISMATCH', matrix(Float32Array.of(1, 2), 2), matrix(Float32Array.of(1), 1)],
    ['LENGTH_MISMATCH', { data: new Float32Array(3), rows: 1, columns: 2 }, matrix(Float32Array.of(1, 2), 2)],
    ['DIMENSION_INVALID', { data: new Float32Array(0), rows: 0, columns: 0 }, matrix(Float32Array.of(1), 1)],
    ['INVALID_ARGUMENT', { data: [1], rows: 1, columns: 1 }, matrix(Float32Array.of(1), 1)],
    ['NOT_FINITE', matrix(Float32Array.of(Number.NaN), 1), matrix(Float32Array.of(1), 1)],
    ['NOT_FINITE', matrix(Float32Array.of(3e38), 1), matrix(Float32Array.of(3e38), 1)],
    ['OUT_OF_MEMORY', matrix(new Float32Array(2 ** 15), 1), matrix(new Float32Array(2 ** 14), 1)],
  ])('refuses with %s', async (code, query, document) => {
    await expect(similarityTile(query as never, document)).rejects.toMatchObject({ code });
  });

  it('says where a similarity is not finite', async () => {
    const query = matrix(Float32Array.of(1, 0), 1);
    const document = matrix(Float32Array.of(1, Number.POSITIVE_INFINITY, 1), 1);
    await expect(similarityTile(query, document)).rejects.toMatchObject({
      code: 'NOT_FINITE',
      details: { row: 0, column: 1 },
    });
  });
});

describe('bestMatches', () => {
  it('names the first of equal vectors, in both directions', () => {
    const tile = matrix(Float32Array.of(-3, -1, -1, 2, 0, 2), 3);
    expect(bestMatches(tile)).toEqual({
      vectors: Uint32Array.of(1, 0),
      similarities: Float32Array.of(-1, 2),
    });
    expect(bestMatches(transposeTile(tile))).toEqual({
      vectors: Uint32Array.of(1, 1, 1),
      similarities: Float32Array.of(2, 0, 2),
    });
  });

  it('has none in an empty document', () => {
    expect(bestMatches({ data: new Float32Array(0), rows: 2, columns: 0 })).toEqual({
      vectors: Uint32Array.of(0xffffffff, 0xffffffff),
      similarities: Float32Array.of(Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY),
    });
  });
});
