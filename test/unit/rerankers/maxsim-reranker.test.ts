import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MultiVectorIndex } from '../../../src/index/multi-vector-index.js';
import { MaxSimReranker } from '../../../src/rerankers/maxsim-reranker.js';

const DIMENSION = 3;

/** Small whole numbers, so that every sum is exact. */
const vectors = (most: number) =>
  fc.array(fc.array(fc.integer({ min: -4, max: 4 }), { minLength: DIMENSION, maxLength: DIMENSION }), {
    minLength: 1,
    maxLength: most,
  });

function maxSim(query: number[][], item: number[][]): number {
  return query.reduce(
    (sum, q) => sum + Math.max(...item.map((x) => x.reduce((dot, value, d) => dot + value * q[d]!, 0))),
    0,
  );
}

function ragged(lists: number[][][]) {
  return {
    data: Float32Array.from(lists.flat(2)),
    lengths: Uint32Array.from(lists, (list) => list.length),
    columns: DIMENSION,
  };
}

describe('MaxSim reranker', () => {
  test('gives the order and the scores of the plain definition, and the view that won', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(vectors(4), { minLength: 1, maxLength: 6 }),
        fc.array(vectors(3), { minLength: 1, maxLength: 3 }),
        async (items, views) => {
          using index = new MultiVectorIndex({ dimension: DIMENSION });
          const { data, lengths } = ragged(items);
          await index.add(data, lengths);
          const candidates = items.map((_, row) => row).filter((row) => row % 2 === 0);
          const expected = candidates
            .map((row) => ({ row, scores: views.map((view) => maxSim(view, items[row]!)) }))
            .map(({ row, scores }) => {
              const score = Math.max(...scores);
              return { row, score, view: scores.indexOf(score) };
            })
            .sort((a, b) => b.score - a.score || a.row - b.row);
          const reranked = await new MaxSimReranker(index).rerank(ragged(views), candidates);
          expect(reranked.map(({ row, score, view }) => ({ row, score, view }))).toEqual(expected);
          for (const { view, score, matches } of reranked) {
            expect(matches.vectors.length).toBe(views[view]!.length);
            expect(matches.similarities.reduce((sum, value) => sum + value, 0)).toBe(score);
          }
        },
      ),
      { numRuns: 60 },
    );
  });

  test('has nothing to say about no candidates', async () => {
    using index = new MultiVectorIndex({ dimension: DIMENSION });
    await index.add(Float32Array.of(1, 2, 3), Uint32Array.of(1));
    expect(await new MaxSimReranker(index).rerank(ragged([[[1, 0, 0]]]), [])).toEqual([]);
  });

  test('refuses rows that are not there, and stops when told to', async () => {
    using index = new MultiVectorIndex({ dimension: DIMENSION });
    await index.add(Float32Array.of(1, 2, 3), Uint32Array.of(1));
    const reranker = new MaxSimReranker(index);
    await expect(reranker.rerank(ragged([[[1, 0, 0]]]), [1])).rejects.toMatchObject({
      code: 'CANDIDATES_INVALID',
    });
    const signal = AbortSignal.abort();
    await expect(reranker.rerank(ragged([[[1, 0, 0]]]), [0], { signal })).rejects.toMatchObject({
      code: 'ABORTED',
    });
  });
});
