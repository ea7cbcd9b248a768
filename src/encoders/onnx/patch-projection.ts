import { GranuleError } from '../../errors.js';

/**
 * A linear projection of patch vectors to fewer numbers, e.g. principal components: y = (x - mean) C.
 */
export interface PatchProjection {
  /** One number per input column. */
  readonly mean: Float32Array | Float64Array;
  /** Input columns x `dimension`, row-major. */
  readonly components: Float32Array | Float64Array;
  /** Numbers of a projected vector. */
  readonly dimension: number;
}

/**
 * Checks that a projection fits vectors of `columns` numbers.
 *
 * @throws GranuleError `DIMENSION_INVALID`, `LENGTH_MISMATCH`
 */
export function requireProjection({ mean, components, dimension }: PatchProjection, columns: number): void {
  if (!Number.isSafeInteger(dimension) || dimension < 1) {
    throw new GranuleError(
      'DIMENSION_INVALID',
      `the projection's dimension must be a positive integer, got ${dimension}`,
      {
        dimension,
      },
    );
  }
  if (mean.length !== columns || components.length !== columns * dimension) {
    throw new GranuleError(
      'LENGTH_MISMATCH',
      `patches of ${columns} numbers need a projection with a mean of ${columns} and ${columns} x ${dimension} ` +
        `components, got ${mean.length} and ${components.length}`,
      { columns, mean: mean.length, components: components.length },
    );
  }
}

/** Projects every row of `rows`; sums run in float64 in column order and are rounded once. */
export function projectRows(
  rows: Float32Array,
  { mean, components, dimension }: PatchProjection,
): Float32Array {
  const columns = mean.length;
  const count = rows.length / columns;
  const projected = new Float32Array(count * dimension);
  const sums = new Float64Array(dimension);
  for (let row = 0; row < count; row++) {
    sums.fill(0);
    for (let column = 0; column < columns; column++) {
      const centred = rows[row * columns + column]! - mean[column]!;
      const start = column * dimension;
      for (let i = 0; i < dimension; i++) sums[i]! += centred * components[start + i]!;
    }
    projected.set(sums, row * dimension);
  }
  return projected;
}
