import type { Quads } from '../encoder.js';

/**
 * A view frame is a parallelogram in a picture, in pixels: centre x, centre y, then the vector from the centre to the
 * middle of the right edge (x, y), then the one to the middle of the bottom edge (x, y). Frames lie one after the other
 * in a Float64Array.
 */
export const FRAME_SIZE = 6;

/**
 * The quads of the cells x cells parts of each frame, row by row, as fractions of the picture; with `cells` 1, of the
 * frames themselves.
 */
export function frameQuads(frames: Float64Array, width: number, height: number, cells = 1): Quads {
  const count = frames.length / FRAME_SIZE;
  const quads = new Float32Array(count * cells * cells * 8);
  let write = 0;
  for (let base = 0; base < frames.length; base += FRAME_SIZE) {
    for (let row = 0; row < cells; row++) {
      for (let column = 0; column < cells; column++) {
        for (const [right, down] of CORNERS) {
          const s = (2 * (column + right)) / cells - 1;
          const t = (2 * (row + down)) / cells - 1;
          quads[write++] = (frames[base]! + s * frames[base + 2]! + t * frames[base + 4]!) / width;
          quads[write++] = (frames[base + 1]! + s * frames[base + 3]! + t * frames[base + 5]!) / height;
        }
      }
    }
  }
  return quads;
}

const CORNERS = [
  [0, 0],
  [1, 0],
  [1, 1],
  [0, 1],
] as const;

/** One frame out of many, as a copy. */
export function frameAt(frames: Float64Array, index: number): Float64Array {
  return frames.slice(index * FRAME_SIZE, (index + 1) * FRAME_SIZE);
}

/** How many frames an array holds. */
export function frameCount(frames: Float64Array): number {
  return frames.length / FRAME_SIZE;
}

/** Share of a width x height picture that a frame covers. */
export function frameShare(frame: Float64Array, width: number, height: number): number {
  return (4 * Math.abs(frame[2]! * frame[5]! - frame[3]! * frame[4]!)) / (width * height);
}
