import { describe, expect, it } from 'vitest';
import { poolGrid, pruneTail, spaceTokens } from '../../../../src/granularity/index.js';
import { poolQuads } from '../../../../src/index.js';
import { groupsOf } from './pooled-documents.js';

describe('spaceTokens', () => {
  it('keeps every k-th vector as it is, and the protected ones', () => {
    const vectors = Float32Array.of(1, 2, 3, 4, 5, 60, 61);
    const pooled = spaceTokens(vectors, Uint32Array.of(5, 2), { dimension: 1, spacing: 3 });
    expect(groupsOf(pooled)).toEqual([
      [0, 1, 2],
      [3, 4],
      [5, 6],
    ]);
    expect([...pooled.vectors.data]).toEqual([1, 4, 60]);
    expect([...pooled.radii].map(Math.round)).toEqual([2, 1, 1]);
    const spared = spaceTokens(vectors, Uint32Array.of(5, 2), { dimension: 1, spacing: 3, protect: 1 });
    expect(groupsOf(spared)).toEqual([[0], [1, 2, 3], [4], [5], [6]]);
    expect(spaceTokens(vectors, Uint32Array.of(5, 2), { dimension: 1, spacing: 1 }).vectors.data).toEqual(
      vectors,
    );
  });

  it('keeps every second one unless told otherwise, and refuses half a step', () => {
    const options = { dimension: 1 };
    expect([...spaceTokens(new Float32Array(5), Uint32Array.of(5), options).lengths]).toEqual([3]);
    expect(() => spaceTokens(new Float32Array(2), Uint32Array.of(2), { ...options, spacing: 1.5 })).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
    );
  });
});

describe('pruneTail', () => {
  it('keeps the first vectors as they are; each of the others belongs to the nearest, the first of equally near ones', () => {
    const vectors = Float32Array.of(0, 10, 4, 9, 5, -1, 7);
    const pooled = pruneTail(vectors, Uint32Array.of(6, 1), { dimension: 1, count: 2 });
    expect(groupsOf(pooled)).toEqual([[0, 2, 4, 5], [1, 3], [6]]);
    expect([...pooled.vectors.data]).toEqual([0, 10, 7]);
    expect([...pooled.radii].map(Math.round)).toEqual([5, 1, 0]);
    expect([...pruneTail(vectors, Uint32Array.of(6, 1), { dimension: 1, factor: 4 }).lengths]).toEqual([
      2, 1,
    ]);
  });

  it('refuses to keep nothing', () => {
    for (const how of [{}, { count: 0 }, { factor: 0 }]) {
      expect(() => pruneTail(new Float32Array(2), Uint32Array.of(2), { dimension: 1, ...how })).toThrow(
        expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
      );
    }
  });
});

describe('poolGrid', () => {
  // 3 rows of 5 patches, numbered; a vector before them and one after.
  const vectors = Float32Array.of(-1, ...Array.from({ length: 15 }, (_, patch) => patch), -2);
  const options = { dimension: 1, grid: { rows: 3, columns: 5 }, protect: 1 };

  it('pools squares of neighbours, fewer at the right and lower edge, and keeps what is not in the grid', () => {
    const two = poolGrid(vectors, Uint32Array.of(17), options);
    expect(groupsOf(two)).toEqual([[0], [1, 2, 6, 7], [3, 4, 8, 9], [5, 10], [11, 12], [13, 14], [15], [16]]);
    expect([...two.vectors.data]).toEqual([-1, 3, 5, 6.5, 10.5, 12.5, 14, -2]);
    const three = poolGrid(vectors, Uint32Array.of(17), { ...options, window: 3 });
    expect(groupsOf(three)[1]).toEqual([1, 2, 3, 6, 7, 8, 11, 12, 13]);
    expect(groupsOf(three)[2]).toEqual([4, 5, 9, 10, 14, 15]);
    expect(poolGrid(vectors, Uint32Array.of(17), { ...options, window: 1 }).vectors.data).toEqual(vectors);
  });

  it('the quadrilaterals of what was pooled are the squares', () => {
    const quads = Float32Array.from(
      [0, 1, 2, 3].flatMap((patch) => {
        const [x, y] = [patch % 2, patch >> 1];
        return [x, y, x + 1, y, x + 1, y + 1, x, y + 1];
      }),
    );
    const grid = { rows: 2, columns: 2 };
    const { members } = poolGrid(new Float32Array(4), Uint32Array.of(4), { dimension: 1, grid });
    expect([...poolQuads(quads, members)]).toEqual([0, 0, 2, 0, 2, 2, 0, 2]);
  });

  it('takes a grid for each document', () => {
    const grids = [
      { rows: 1, columns: 4 },
      { rows: 4, columns: 1 },
    ];
    const pooled = poolGrid(vectors.subarray(0, 9), Uint32Array.of(4, 5), { dimension: 1, grid: grids });
    expect(groupsOf(pooled)).toEqual([[0, 1], [2, 3], [4, 5], [6, 7], [8]]);
  });

  it.each([
    ['LENGTH_MISMATCH', { grid: { rows: 4, columns: 5 } }],
    ['LENGTH_MISMATCH', { protect: 3 }],
    ['LENGTH_MISMATCH', { grid: [] }],
    ['INVALID_ARGUMENT', { grid: { rows: 0, columns: 4 } }],
    ['INVALID_ARGUMENT', { grid: { rows: 2, columns: 1.5 } }],
    ['INVALID_ARGUMENT', { window: 0 }],
    ['INVALID_ARGUMENT', { stride: 2 }],
  ])('refuses with %s %j', (code, wrong) => {
    expect(() => poolGrid(vectors, Uint32Array.of(17), { ...options, ...wrong } as never)).toThrow(
      expect.objectContaining({ code }),
    );
  });
});
