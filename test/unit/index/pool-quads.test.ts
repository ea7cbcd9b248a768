import { describe, expect, it } from 'vitest';
import { poolQuads, poolVectors } from '../../../src/index.js';

/** An upright rectangle. */
function box(left: number, top: number, right: number, bottom: number): number[] {
  return [left, top, right, top, right, bottom, left, bottom];
}

describe('poolQuads', () => {
  it('bounds the corners of the members; a lone member keeps its quadrilateral', async () => {
    const tilted = [0.5, 0.125, 0.875, 0.5, 0.5, 0.75, 0.25, 0.5];
    const quads = Float32Array.of(...box(0, 0, 0.25, 0.25), ...tilted, ...box(0.5, 0, 1, 0.25));
    const options = { dimension: 1, method: 'ward', count: 2 } as const;
    const { members } = await poolVectors(Float32Array.of(0, 9, 1), Uint32Array.of(3), options);
    expect([...poolQuads(quads, members)]).toEqual([...box(0, 0, 1, 0.25), ...tilted]);
    const swapped = { offsets: Uint32Array.of(0, 1, 3), rows: Uint32Array.of(0, 1, 2) };
    expect([...poolQuads(quads, swapped)]).toEqual([...box(0, 0, 0.25, 0.25), ...box(0.25, 0, 1, 0.75)]);
  });

  it('refuses quadrilaterals that are not one per row', () => {
    const members = { offsets: Uint32Array.of(0, 2), rows: Uint32Array.of(0, 1) };
    expect(() => poolQuads(new Float32Array(8), members)).toThrow(
      expect.objectContaining({ code: 'LENGTH_MISMATCH' }),
    );
  });
});
