/** Patches on a side. */
export const PATCHES = 8;
/** Patches of a view. */
export const PATCH_COUNT = PATCHES * PATCHES;
/** Colour cells on a side of a patch. */
const PATCH_CELLS = 3;
/** Softness of colour cells (see `ColourPyramid.sampleGrid`). */
export const CELL_SOFTNESS = 0.6;
/** Colour cells on a side of a view. */
export const VIEW_CELLS = PATCHES * PATCH_CELLS;
const COLOUR_NUMBERS = PATCH_CELLS * PATCH_CELLS * 3;
const GRADIENT_NUMBERS = 3;
const PLACE_NUMBERS = 2;
/** Numbers that are measured; three more follow, see `describePatches`. */
const MEASURED = COLOUR_NUMBERS + GRADIENT_NUMBERS + PLACE_NUMBERS;
/** Numbers of a patch vector. */
export const PATCH_DIMENSION = MEASURED + 3;

const CHROMA_WEIGHT = 1.5;
const GRADIENT_WEIGHT = 1;
/** A whole patch's width or height out of place counts as much as this difference of measured numbers. */
const PLACE_WEIGHT = 1;
/** Added to the contrast, as a variance, so that an image of one colour is not blown up. */
const LEAST_CONTRAST = 0.03;

/**
 * The patch vectors of one view as they are indexed, row by row.
 *
 * What is measured of a patch is x: its 3 x 3 mean colours as brightness Y and 1.5 (R - Y), 1.5 (B - Y); the structure of
 * its brightness gradients, that is the means of gx gx - gy gy, 2 gx gy and gx gx + gy gy, each as a signed square root;
 * and its column and row in the view. Colours and gradients are divided by the view's contrast, the root of their
 * variance over the patches plus 0.03. Then come 1, -|x|^2 / 2 and the contrast, against 1 - |x|^2 / 2, 1 and 0 in a
 * query, so that the inner product of a query's patch x with an indexed patch y is 1 - |x - y|^2 / 2: 1 where they are
 * alike, and less by the place as well as by the looks. The contrast is carried along for `coloursOfPatches`.
 *
 * @param colours - 24 x 24 colours of the view, row by row
 * @param out - receives 64 vectors of `PATCH_DIMENSION` numbers from `offset` on
 */
export function describeIndexedPatches(colours: Float32Array, out: Float32Array, offset: number): void {
  const contrast = measure(colours, out, offset);
  for (let at = offset; at < offset + PATCH_COUNT * PATCH_DIMENSION; at += PATCH_DIMENSION) {
    out[at + MEASURED] = 1;
    out[at + MEASURED + 1] = -squaredNorm(out, at) / 2;
    out[at + MEASURED + 2] = contrast;
  }
}

/**
 * The patch vectors of one view of a query, each times `weight`, row by row; see `describeIndexedPatches`.
 *
 * @param weight - how much this view counts against others of its picture
 */
export function describeQueryPatches(
  colours: Float32Array,
  weight: number,
  out: Float32Array,
  offset: number,
): void {
  measure(colours, out, offset);
  for (let at = offset; at < offset + PATCH_COUNT * PATCH_DIMENSION; at += PATCH_DIMENSION) {
    out[at + MEASURED] = 1 - squaredNorm(out, at) / 2;
    out[at + MEASURED + 1] = 1;
    out[at + MEASURED + 2] = 0;
    for (let i = at; i < at + PATCH_DIMENSION; i++) {
      out[i] = out[i]! * weight;
    }
  }
}

/** Writes the measured numbers of all patches; returns the contrast they were divided by. */
function measure(colours: Float32Array, out: Float32Array, offset: number): number {
  const looks = COLOUR_NUMBERS + GRADIENT_NUMBERS;
  const sums = new Float64Array(looks);
  let squares = 0;
  for (let patch = 0; patch < PATCH_COUNT; patch++) {
    const at = offset + patch * PATCH_DIMENSION;
    measurePatch(colours, Math.floor(patch / PATCHES), patch % PATCHES, out, at);
    for (let i = 0; i < looks; i++) {
      sums[i]! += out[at + i]!;
      squares += out[at + i]! ** 2;
    }
  }
  const variance = squares / PATCH_COUNT - sums.reduce((total, sum) => total + (sum / PATCH_COUNT) ** 2, 0);
  const contrast = Math.sqrt(Math.max(0, variance) + LEAST_CONTRAST);
  for (let patch = 0; patch < PATCH_COUNT; patch++) {
    const at = offset + patch * PATCH_DIMENSION;
    for (let i = at; i < at + looks; i++) {
      out[i] = out[i]! / contrast;
    }
  }
  return contrast;
}

function squaredNorm(vectors: Float32Array, at: number): number {
  let norm = 0;
  for (let i = at; i < at + MEASURED; i++) {
    norm += vectors[i]! ** 2;
  }
  return norm;
}

function measurePatch(
  colours: Float32Array,
  row: number,
  column: number,
  out: Float32Array,
  at: number,
): void {
  let difference = 0;
  let product = 0;
  let energy = 0;
  let write = at;
  for (let i = 0; i < PATCH_CELLS; i++) {
    for (let j = 0; j < PATCH_CELLS; j++) {
      const y = row * PATCH_CELLS + i;
      const x = column * PATCH_CELLS + j;
      const cell = (y * VIEW_CELLS + x) * 3;
      const value = luma(colours, cell);
      out[write++] = value / PATCH_CELLS;
      out[write++] = (CHROMA_WEIGHT / PATCH_CELLS) * (colours[cell]! - value);
      out[write++] = (CHROMA_WEIGHT / PATCH_CELLS) * (colours[cell + 2]! - value);
      const left = luma(colours, x > 0 ? cell - 3 : cell);
      const right = luma(colours, x < VIEW_CELLS - 1 ? cell + 3 : cell);
      const above = luma(colours, y > 0 ? cell - 3 * VIEW_CELLS : cell);
      const below = luma(colours, y < VIEW_CELLS - 1 ? cell + 3 * VIEW_CELLS : cell);
      const gx = right - left;
      const gy = below - above;
      difference += gx * gx - gy * gy;
      product += 2 * gx * gy;
      energy += gx * gx + gy * gy;
    }
  }
  out[write++] = GRADIENT_WEIGHT * signedRoot(difference / PATCH_CELLS ** 2);
  out[write++] = GRADIENT_WEIGHT * signedRoot(product / PATCH_CELLS ** 2);
  out[write++] = GRADIENT_WEIGHT * signedRoot(energy / PATCH_CELLS ** 2);
  out[write++] = PLACE_WEIGHT * column;
  out[write] = PLACE_WEIGHT * row;
}

/**
 * The 24 x 24 colours that indexed patch vectors were made from, to within rounding: the inverse of
 * `describeIndexedPatches` as far as colours go.
 */
export function coloursOfPatches(patches: Float32Array): Float32Array {
  const colours = new Float32Array(VIEW_CELLS * VIEW_CELLS * 3);
  for (let patch = 0; patch < PATCH_COUNT; patch++) {
    const row = Math.floor(patch / PATCHES) * PATCH_CELLS;
    const column = (patch % PATCHES) * PATCH_CELLS;
    let read = patch * PATCH_DIMENSION;
    const scale = PATCH_CELLS * patches[read + MEASURED + 2]!;
    for (let i = 0; i < PATCH_CELLS; i++) {
      for (let j = 0; j < PATCH_CELLS; j++) {
        const value = patches[read++]! * scale;
        const red = value + (patches[read++]! * scale) / CHROMA_WEIGHT;
        const blue = value + (patches[read++]! * scale) / CHROMA_WEIGHT;
        const cell = ((row + i) * VIEW_CELLS + column + j) * 3;
        colours[cell] = red;
        colours[cell + 1] = (value - 0.299 * red - 0.114 * blue) / 0.587;
        colours[cell + 2] = blue;
      }
    }
  }
  return colours;
}

function luma(colours: Float32Array, cell: number): number {
  return 0.299 * colours[cell]! + 0.587 * colours[cell + 1]! + 0.114 * colours[cell + 2]!;
}

function signedRoot(value: number): number {
  return Math.sign(value) * Math.sqrt(Math.abs(value));
}
