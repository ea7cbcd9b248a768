import { describe, expect, it } from 'vitest';
import {
  bestMatches,
  MULTI_VECTOR_SCORES,
  type MultiVectorScoreName,
  scoreDocuments,
} from '../../../../src/granularity/index.js';
import { type Matrix, matrix } from '../../../../src/vectors/matrix.js';
import { Seeded } from '../../../conformance/seeded.js';
import { slowTile, TILE_SCORES } from './tile-scores.js';

const NAMES = Object.keys(MULTI_VECTOR_SCORES) as MultiVectorScoreName[];

/** Those whose formulas fix the order of every addition; the others have exponentials. */
const FIXED: readonly MultiVectorScoreName[] = ['maxsim', 'mean-maxsim', 'top-mean', 'filip', 'sparc'];

describe('scoreDocuments and its oracle', () => {
  it.each([
    { dimension: 1, queryVectors: 1, lengths: [1] },
    { dimension: 3, queryVectors: 66, lengths: [1, 0, 2, 130] },
    { dimension: 128, queryVectors: 9, lengths: [64, 1, 65] },
    { dimension: 2_048, queryVectors: 2, lengths: [1, 3] },
  ])(
    'agree on every score and number of threads: $dimension numbers, $queryVectors query vectors',
    async ({ dimension, queryVectors, lengths }) => {
      const random = new Seeded(dimension);
      const query = matrix(random.normal(queryVectors * dimension), dimension);
      const data = random.normal(lengths.reduce((a, b) => a + b) * dimension);
      const documents = { data, lengths: Uint32Array.from(lengths), columns: dimension };
      const weights = random.normal(queryVectors).map(Math.abs);
      for (const name of NAMES) {
        const weighted = 'weights' in MULTI_VECTOR_SCORES[name] ? [{}, { weights }] : [{}];
        for (const options of weighted) {
          const { scores } = await scoreDocuments(query, documents, name, {
            ...options,
            threads: 1,
          } as never);
          const again = await scoreDocuments(query, documents, name, { ...options, threads: 3 } as never);
          expect(again.scores).toEqual(scores);
          let first = 0;
          for (const [document, length] of lengths.entries()) {
            const end = first + length * dimension;
            if (length > 0) {
              const tile = slowTile(query, matrix(data.subarray(first, end), dimension));
              const expected = TILE_SCORES[name](tile, options);
              if (FIXED.includes(name)) expect(scores[document]).toBe(expected);
              else expect(Math.abs(scores[document]! - expected)).toBeLessThan(1e-12 * magnitude(tile));
            }
            first = end;
          }
        }
      }
    },
  );

  it('agree on bi-isa with matrices that mix words and patches', async () => {
    const random = new Seeded(7);
    const query = matrix(random.normal(3 * 4), 4);
    const documents = { data: random.normal(10 * 4), lengths: Uint32Array.of(5, 0, 5), columns: 4 };
    const options = {
      temperature: 0.5,
      wordMixing: matrix(random.normal(9), 3),
      overPatchesMixing: matrix(random.normal(25), 5),
      patchMixing: matrix(random.normal(25), 5),
      overWordsMixing: matrix(random.normal(9), 3),
    };
    const { scores } = await scoreDocuments(query, documents, 'bi-isa', options);
    for (const [document, first] of [0, 20].entries()) {
      const tile = slowTile(query, matrix(documents.data.subarray(first, first + 20), 4));
      expect(scores[2 * document]).toBeCloseTo(TILE_SCORES['bi-isa'](tile, options), 12);
    }
  });

  it('agree on a document of more vectors than 65,536', async () => {
    const random = new Seeded(11);
    const query = matrix(random.normal(2 * 3), 3);
    const data = random.normal(65_600 * 3);
    const documents = { data, lengths: Uint32Array.of(65_600), columns: 3 };
    const tile = slowTile(query, matrix(data, 3));
    for (const name of FIXED) {
      const scored = await scoreDocuments(query, documents, name);
      expect(scored.scores[0]).toBe(TILE_SCORES[name](tile));
      expect(scored.matches(0)).toEqual(bestMatches(tile));
    }
  });
});

/** The greatest similarity, times the query vectors that are added up with their weights. */
const magnitude = (tile: Matrix) =>
  tile.rows * tile.data.reduce((most, value) => Math.max(most, Math.abs(value)), 1);
