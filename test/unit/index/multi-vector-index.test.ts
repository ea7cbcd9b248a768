import { describe, expect, it } from 'vitest';
import { MultiVectorIndex } from '../../../src/index.js';

async function pages(): Promise<MultiVectorIndex> {
  const index = new MultiVectorIndex({ dimension: 2 });
  expect(await index.add(Float32Array.of(1, 0, 0, 1, 0.5, 0.5), Uint32Array.of(2, 1))).toBe(0);
  expect(await index.add(Float32Array.of(-1, 0), Uint32Array.of(1))).toBe(2);
  return index;
}

describe('MultiVectorIndex', () => {
  it('adds up the best match of each query vector', async () => {
    const index = await pages();
    expect([index.rows, index.dimension, index.metric]).toEqual([3, 2, 'ip']);
    const hits = await index.search(Float32Array.of(2, 0, 0, 4), { k: 3 });
    expect([...hits.rows]).toEqual([0, 1, 2]);
    expect([...hits.scores]).toEqual([6, 3, -2]);
    expect(hits.queries).toBe(1);
  });

  it('explains which vectors matched, hit by hit', async () => {
    const index = await pages();
    const queryVectors = Float32Array.of(2, 0, 0, 4, 0, 1);
    const hits = await index.search(queryVectors, { k: 2, explain: true, lengths: Uint32Array.of(2, 1) });
    expect(hits.matches(0, 0)).toEqual({
      vectors: Uint32Array.of(0, 1),
      similarities: Float32Array.of(2, 4),
    });
    expect(hits.matches(0, 1)).toEqual({
      vectors: Uint32Array.of(0, 0),
      similarities: Float32Array.of(1, 2),
    });
    expect(hits.matches(1, 0)).toEqual({ vectors: Uint32Array.of(1), similarities: Float32Array.of(1) });
    expect([...hits.matchedVectors!]).toEqual([0, 1, 0, 0, 1, 0]);
    for (const [query, place] of [
      [0, 2],
      [0, -1],
      [2, 0],
      [-1, 0],
      [0, Number.NaN],
    ] as const) {
      expect(hits.matches(query, place)).toBeUndefined();
    }
  });

  it('scores candidates only', async () => {
    const index = await pages();
    const hits = await index.search(Float32Array.of(1, 0), { k: 3, candidates: Uint32Array.of(2, 1, 2) });
    expect([...hits.rows]).toEqual([1, 2, 0xffff_ffff]);
    expect([...hits.counts]).toEqual([2]);
  });
});
