import { GranuleError } from '../../errors.js';
import { checkKeys } from '../../index/arguments.js';
import { checkProtect, type PooledVectors } from '../../index/pool-vectors.js';
import type { Matrix } from '../../vectors/matrix.js';
import { checkWhole } from '../option-checks.js';
import { type DocumentVectorOptions, documentVectors, pooledByLeaders } from './document-vectors.js';

/** How the patches of a picture lie: row after row, each from left to right. */
export interface PatchGrid {
  readonly rows: number;
  readonly columns: number;
}

/** Options of `poolGrid`. */
export interface GridPoolingOptions extends DocumentVectorOptions {
  /** The grid of all documents, or one for each. */
  readonly grid: PatchGrid | readonly PatchGrid[];
  /** Patches on a side of the squares that become one, 2 by default; at the right and lower edge there may be fewer. */
  readonly window?: number | undefined;
  /** So many vectors before the grid's (a class token, say) are kept as they are; 0 by default. */
  readonly protect?: number | undefined;
}

/**
 * Pools the patches of pictures by place: each square of window x window patches becomes its mean. The same for every picture of one
 * size, and what is pooled is one rectangle: `poolQuads` gives its place. Vectors after the grid's (those of a prompt,
 * say) are kept as they are. O(n d).
 *
 * @param vectors - rows x dimension finite values, document after document
 * @param lengths - vectors per document, together all of `vectors`, each at least `protect` and those of its grid
 * @returns as `poolVectors`, for `PooledBounds` and `poolQuads`
 * @throws GranuleError `INVALID_ARGUMENT`, `DIMENSION_INVALID`, `LENGTH_MISMATCH`, `EMPTY_DOCUMENT`, `NOT_FINITE`
 */
export function poolGrid(
  vectors: Float32Array | Matrix,
  lengths: Uint32Array,
  options: GridPoolingOptions,
): PooledVectors {
  checkKeys(options, ['dimension', 'metric', 'grid', 'window', 'protect']);
  const window = checkWhole(options.window ?? 2, 1, 'window');
  const protect = checkProtect(options.protect);
  const documents = documentVectors(vectors, lengths, options);
  const gridOf = checkGrids(options.grid, documents.lengths, protect);
  const leaders = Uint32Array.from({ length: documents.vectors.rows }, (_, row) => row);
  let start = 0;
  for (const [document, length] of documents.lengths.entries()) {
    const { rows, columns } = gridOf(document);
    const first = start + protect;
    for (let y = 0; y < rows; y++) {
      for (let x = 0; x < columns; x++) {
        leaders[first + y * columns + x] = first + (y - (y % window)) * columns + x - (x % window);
      }
    }
    start += length;
  }
  return pooledByLeaders(documents, leaders);
}

function checkGrids(
  grid: GridPoolingOptions['grid'],
  lengths: Uint32Array,
  protect: number,
): (document: number) => PatchGrid {
  const grids = Array.isArray(grid) ? (grid as readonly PatchGrid[]) : undefined;
  if (grids && grids.length !== lengths.length) {
    throw new GranuleError('LENGTH_MISMATCH', `${grids.length} grids for ${lengths.length} documents`, {
      grids: grids.length,
      documents: lengths.length,
    });
  }
  const gridOf = (document: number): PatchGrid => grids?.[document] ?? (grid as PatchGrid);
  for (const [document, length] of lengths.entries()) {
    const { rows, columns } = gridOf(document);
    const patches = checkWhole(rows, 1, 'grid.rows') * checkWhole(columns, 1, 'grid.columns');
    if (protect + patches <= length) continue;
    throw new GranuleError(
      'LENGTH_MISMATCH',
      `document ${document} has ${length} vectors; a grid of ${rows} x ${columns} after ${protect} others needs ${protect + patches}`,
      { row: document, length },
    );
  }
  return gridOf;
}
