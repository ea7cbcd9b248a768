import { GranuleError } from '../errors.js';
import { checkFloat32, checkUint32 } from './arguments.js';
import type { PoolMembers } from './pool-vectors.js';

/** Numbers of a quadrilateral: x and y of its four corners. */
const QUAD = 8;

/**
 * The places of pooled vectors, from those of their members: a pooled vector of one member has its quadrilateral, any
 * other the upright rectangle around all corners of its members.
 *
 * @param quads - 8 numbers per vector that was pooled: x0 y0 x1 y1 x2 y2 x3 y3 for the corners top left, top right, bottom
 * right and bottom left, y downwards
 * @param members - of `poolVectors`
 * @returns 8 numbers per pooled vector, in the same order of corners
 * @throws GranuleError `INVALID_ARGUMENT`, `LENGTH_MISMATCH`
 */
export function poolQuads(quads: Float32Array, members: PoolMembers): Float32Array {
  checkFloat32(quads, 'quads');
  const offsets = checkUint32(members.offsets, 'members.offsets');
  const rows = checkUint32(members.rows, 'members.rows');
  if (quads.length !== rows.length * QUAD) {
    throw new GranuleError(
      'LENGTH_MISMATCH',
      `quads must hold ${QUAD} values for each of the ${rows.length} vectors that were pooled, got ${quads.length}`,
      { length: quads.length, vectors: rows.length },
    );
  }
  const pooled = new Float32Array(Math.max(0, offsets.length - 1) * QUAD);
  for (let p = 0; p + 1 < offsets.length; p++) {
    pooled.set(boundingQuad(quads, rows.subarray(offsets[p], offsets[p + 1])), p * QUAD);
  }
  return pooled;
}

function boundingQuad(quads: Float32Array, rows: Uint32Array): ArrayLike<number> {
  if (rows.length === 1) return quads.subarray(rows[0]! * QUAD, (rows[0]! + 1) * QUAD);
  let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity];
  for (const row of rows) {
    for (let corner = row * QUAD; corner < (row + 1) * QUAD; corner += 2) {
      left = Math.min(left, quads[corner]!);
      right = Math.max(right, quads[corner]!);
      top = Math.min(top, quads[corner + 1]!);
      bottom = Math.max(bottom, quads[corner + 1]!);
    }
  }
  return [left, top, right, top, right, bottom, left, bottom];
}
