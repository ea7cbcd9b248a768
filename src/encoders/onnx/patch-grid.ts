import type { Quads } from '../encoder.js';

/** A grid of patches, row by row from the top left. */
export interface PatchGrid {
  readonly rows: number;
  readonly columns: number;
}

/** A rectangle in an image, as fractions of its width and height. */
export interface ImageRegion {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

/** The four corners of a region, clockwise from the top left. */
export function regionQuad({ left, top, right, bottom }: ImageRegion): Quads {
  return Float32Array.of(left, top, right, top, right, bottom, left, bottom);
}

/** The place of each patch of a grid that covers `region` of an image: rows x columns quads. */
export function gridQuads({ rows, columns }: PatchGrid, region: ImageRegion): Quads {
  const quads = new Float32Array(rows * columns * 8);
  const width = (region.right - region.left) / columns;
  const height = (region.bottom - region.top) / rows;
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const left = region.left + column * width;
      const top = region.top + row * height;
      const patch = { left, top, right: left + width, bottom: top + height };
      quads.set(regionQuad(patch), (row * columns + column) * 8);
    }
  }
  return quads;
}

/**
 * The grid that `tokens` tokens make, less `prefixTokens` leading ones that belong to no place (class token, registers),
 * for an input of width x height pixels cut into square patches: rows = sqrt(P height / width). Without `prefixTokens`,
 * none and then one is tried.
 *
 * @returns undefined where no such grid exists
 */
export function inferPatchGrid(
  tokens: number,
  width: number,
  height: number,
  prefixTokens?: number,
): { readonly grid: PatchGrid; readonly prefixTokens: number } | undefined {
  for (const prefix of prefixTokens === undefined ? [0, 1] : [prefixTokens]) {
    const patches = tokens - prefix;
    const rows = Math.round(Math.sqrt((patches * height) / width));
    const columns = Math.round(patches / rows);
    if (patches > 0 && rows * columns === patches && rows * width === columns * height) {
      return { grid: { rows, columns }, prefixTokens: prefix };
    }
  }
  return undefined;
}
