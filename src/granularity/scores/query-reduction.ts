import { GranuleError } from '../../errors.js';
import { show } from '../../index/arguments.js';
import { type Matrix, matrixRow } from '../../vectors/matrix.js';

/** What each query vector counts. */
export interface QueryWeightOptions {
  /** One per query vector, finite and not negative (inverse document frequencies; see `groupWeights`); 1 by default. */
  readonly weights?: ArrayLike<number> | undefined;
}

/** sum over i of w_i r(tile_i), in the order of the query; -Infinity for a document without vectors. */
export function weightedSum(
  tile: Matrix,
  weights: ArrayLike<number> | undefined,
  reduce: (similarities: Float32Array) => number,
): number {
  checkTile(tile);
  checkWeights(weights, tile.rows);
  if (tile.columns === 0) return Number.NEGATIVE_INFINITY;
  let sum = 0;
  for (let i = 0; i < tile.rows; i++) sum += (weights?.[i] ?? 1) * reduce(matrixRow(tile, i));
  return sum;
}

/** The same, divided by the sum of the weights. */
export function weightedMean(
  tile: Matrix,
  weights: ArrayLike<number> | undefined,
  reduce: (similarities: Float32Array) => number,
): number {
  const sum = weightedSum(tile, weights, reduce);
  let total = 0;
  for (let i = 0; i < tile.rows; i++) total += weights?.[i] ?? 1;
  if (total === 0) throw new GranuleError('INVALID_ARGUMENT', 'at least one weight must be above 0');
  return sum / total;
}

/** @throws GranuleError `LENGTH_MISMATCH` for a tile of no query vectors, or whose values do not fill it */
export function checkTile({ data, rows, columns }: Matrix): void {
  if (rows === 0) throw new GranuleError('LENGTH_MISMATCH', 'the query has no vectors');
  if (data.length !== rows * columns) {
    throw new GranuleError('LENGTH_MISMATCH', `a tile of ${rows} x ${columns} has ${data.length} values`, {
      length: data.length,
    });
  }
}

function checkWeights(weights: ArrayLike<number> | undefined, vectors: number): void {
  if (weights === undefined) return;
  if (weights.length !== vectors) {
    throw new GranuleError('LENGTH_MISMATCH', `${weights.length} weights for ${vectors} query vectors`, {
      length: weights.length,
    });
  }
  for (let i = 0; i < vectors; i++) {
    const weight = weights[i];
    if (Number.isFinite(weight) && weight! >= 0) continue;
    throw new GranuleError(
      'INVALID_ARGUMENT',
      `a weight must be a finite number of at least 0, got ${show(weight)} for query vector ${i}`,
    );
  }
}
