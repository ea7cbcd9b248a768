/** Cells on a side of the grid that a layout vector describes. */
export const LAYOUT_CELLS = 8;
/** Numbers of a layout vector. */
export const LAYOUT_DIMENSION = LAYOUT_CELLS * LAYOUT_CELLS * 3;

/** Softness of its cells (see `ColourPyramid.sampleGrid`): wide, for views seldom lie exactly on an object. */
export const LAYOUT_SOFTNESS = 0.9;

/** Added to the brightness before dividing by it or taking its logarithm, so that noise in the dark stays small. */
const DARKNESS = 0.35;
/** Weight of chroma against brightness. */
const CHROMA_WEIGHT = 1;
const LUMA_WEIGHT = 0.6;
/** What is left of the brightness's even slope over the grid, which light explains as well as the object does. */
const SLOPE_KEPT = 0.5;

/**
 * The layout of colours over a view as one unit vector that light hardly changes.
 *
 * Per cell with brightness Y = 0.299 R + 0.587 G + 0.114 B: the chroma (R - Y) / (Y + d) and (B - Y) / (Y + d), which a
 * change of brightness leaves alone, and ln(Y + d) less its mean and half of its best-fitting plane, which is what a
 * gradient of light adds; d = 0.35. The whole is scaled to length 1, so saturation scales out too.
 *
 * @param colours - 8 x 8 colours, row by row
 * @param out - receives `LAYOUT_DIMENSION` numbers from `offset` on
 */
export function describeLayout(colours: Float32Array, out: Float32Array, offset: number): void {
  const cells = LAYOUT_CELLS * LAYOUT_CELLS;
  let mean = 0;
  let slopeX = 0;
  let slopeY = 0;
  let spread = 0;
  for (let cell = 0; cell < cells; cell++) {
    const red = colours[cell * 3]!;
    const blue = colours[cell * 3 + 2]!;
    const luma = 0.299 * red + 0.587 * colours[cell * 3 + 1]! + 0.114 * blue;
    const x = (cell % LAYOUT_CELLS) - (LAYOUT_CELLS - 1) / 2;
    const y = Math.floor(cell / LAYOUT_CELLS) - (LAYOUT_CELLS - 1) / 2;
    const level = Math.log(luma + DARKNESS);
    out[offset + cell * 3] = level;
    out[offset + cell * 3 + 1] = (CHROMA_WEIGHT * (red - luma)) / (luma + DARKNESS);
    out[offset + cell * 3 + 2] = (CHROMA_WEIGHT * (blue - luma)) / (luma + DARKNESS);
    mean += level / cells;
    slopeX += level * x;
    slopeY += level * y;
    spread += x * x;
  }
  slopeX /= spread;
  slopeY /= spread;
  let norm = 0;
  for (let cell = 0; cell < cells; cell++) {
    const x = (cell % LAYOUT_CELLS) - (LAYOUT_CELLS - 1) / 2;
    const y = Math.floor(cell / LAYOUT_CELLS) - (LAYOUT_CELLS - 1) / 2;
    const at = offset + cell * 3;
    out[at] = LUMA_WEIGHT * (out[at]! - mean - (1 - SLOPE_KEPT) * (slopeX * x + slopeY * y));
    norm += out[at]! ** 2 + out[at + 1]! ** 2 + out[at + 2]! ** 2;
  }
  const scale = norm > 1e-12 ? 1 / Math.sqrt(norm) : 0;
  for (let i = offset; i < offset + cells * 3; i++) {
    out[i] = out[i]! * scale;
  }
}
