/**
 * The oracle of scores over several vectors per document: their formulas over the tile of similarities, in float64 and in the
 * order in which they are written, with the exponentials of Node. Slow, and checked by hand.
 *
 * @module
 */
import type {
  BiIsaOptions,
  FilipOptions,
  MultiVectorScoreName,
  QueryWeightOptions,
} from '../../../../src/granularity/index.js';
import { interactiveSimilarityAggregation, transposeTile } from '../../../../src/granularity/index.js';
import { softmax } from '../../../../src/granularity/softmax.js';
import { type Matrix, matrixRow } from '../../../../src/vectors/matrix.js';
import { referenceSimilarity } from '../../../../src/vectors/reference-similarity.js';

type Options = QueryWeightOptions & { readonly temperature?: number; readonly most?: number };

/** The similarities of every query vector with every document vector. */
export function slowTile(query: Matrix, document: Matrix): Matrix {
  const data = new Float32Array(query.rows * document.rows);
  for (let i = 0, at = 0; i < query.rows; i++) {
    for (let j = 0; j < document.rows; j++, at++) {
      data[at] = referenceSimilarity(matrixRow(query, i), matrixRow(document, j));
    }
  }
  return { data, rows: query.rows, columns: document.rows };
}

/** Scores from a tile with at least one column, by name; the defaults are those of the engine. */
export const TILE_SCORES: Record<MultiVectorScoreName, (tile: Matrix, options?: object) => number> = {
  maxsim: slowMaxSim,
  'mean-maxsim': (tile, options: Options = {}) => weightedMean(tile, options, greatest),
  'smooth-maxsim': (tile, options: Options = {}) =>
    weightedSum(tile, options, (row) => smoothMaximum(row, options.temperature ?? 0.1)),
  'top-mean': (tile, options: Options = {}) =>
    weightedSum(tile, options, (row) => {
      const best = row.toSorted((a, b) => b - a).subarray(0, options.most ?? 3);
      return total(best) / best.length;
    }),
  filip: (tile, { direction = 'both' }: FilipOptions = {}) => {
    const forwards = weightedMean(tile, {}, greatest);
    const backwards = weightedMean(transposeTile(tile), {}, greatest);
    if (direction === 'both') return (forwards + backwards) / 2;
    return direction === 'query-to-document' ? forwards : backwards;
  },
  pacl: (tile, options: Options = {}) =>
    weightedMean(tile, options, (row) => attended(row, softmax(row, options.temperature ?? 1))),
  sparc: (tile, options: Options = {}) => weightedMean(tile, options, sparse),
  flair: (tile, options: Options = {}) =>
    // The last logit stays 0: the inner product with the empty key.
    weightedMean(tile, options, (row) => attended(row, softmax([...row, 0], options.temperature ?? 0.1))),
  'bi-isa': (tile, options: BiIsaOptions = {}) => {
    const { temperature, wordMixing, overPatchesMixing, patchMixing, overWordsMixing } = options;
    const score = (values: ArrayLike<number>, mixing: Matrix | undefined) =>
      interactiveSimilarityAggregation(values, { temperature, mixing }).score;
    const patches = rowsOf(transposeTile(tile)).map((row) => score(row, wordMixing));
    const words = rowsOf(tile).map((row) => score(row, patchMixing));
    return (score(patches, overPatchesMixing) + score(words, overWordsMixing)) / 2;
  },
};

/** MaxSim before its rounding. */
export function slowMaxSim(tile: Matrix, options: Options = {}): number {
  return weightedSum(tile, options, greatest);
}

function weightedSum(
  tile: Matrix,
  { weights }: QueryWeightOptions,
  reduce: (row: Float32Array) => number,
): number {
  return rowsOf(tile).reduce((sum, row, i) => sum + (weights?.[i] ?? 1) * reduce(row), 0);
}

function weightedMean(
  tile: Matrix,
  options: QueryWeightOptions,
  reduce: (row: Float32Array) => number,
): number {
  return (
    weightedSum(tile, options, reduce) / total(Array.from(options.weights ?? new Array(tile.rows).fill(1)))
  );
}

function smoothMaximum(values: Float32Array, t: number): number {
  const most = greatest(values);
  let sum = 0;
  for (const value of values) sum += Math.exp((value - most) / t);
  return most + t * Math.log(sum);
}

function sparse(values: Float32Array): number {
  const most = greatest(values);
  const least = values.reduce((a, b) => Math.min(a, b));
  let [sum, score] = [0, 0];
  for (const value of values) {
    const share = most === least ? 1 : (value - least) / (most - least);
    if (share < 1 / values.length) continue;
    sum += share;
    score += share * value;
  }
  return score / sum;
}

function attended(values: Float32Array, attention: Float64Array): number {
  return values.reduce((sum, value, j) => sum + attention[j]! * value, 0);
}

const rowsOf = (tile: Matrix) => Array.from({ length: tile.rows }, (_, row) => matrixRow(tile, row));
const greatest = (values: Float32Array) => values.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
const total = (values: Iterable<number>) => Array.from(values).reduce((a, b) => a + b, 0);
