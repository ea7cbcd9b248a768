import { GranuleError } from '../../../errors.js';
import { checkFloats, type Floats } from '../loss-arguments.js';

/** Vectors of one text (its words) or one image (its patches): vector r is `data[r * columns .. (r + 1) * columns)`. */
export interface VectorSet {
  readonly data: Floats;
  readonly columns: number;
}

/** The score of a text and an image, and how it changes with their vectors. */
export interface PairScore {
  readonly score: number;
  /** dscore/du, words x columns. */
  readonly wordGradient: Float64Array;
  /** dscore/dv, patches x columns. */
  readonly patchGradient: Float64Array;
  /** dscore/dt of a score that has a temperature of its own; 0 of others. */
  readonly temperatureGradient: number;
}

/** A score as a function of the similarities alone, words x patches. */
export interface TileScore {
  readonly score: number;
  /** dscore/ds, words x patches. */
  readonly gradient: Float64Array;
  /** As of `PairScore`; 0 where left out. */
  readonly temperatureGradient?: number | undefined;
}

/** Checked vectors in float64. */
export interface Vectors {
  readonly data: Float64Array;
  readonly rows: number;
  readonly columns: number;
}

/** @throws GranuleError `INVALID_ARGUMENT`, `DIMENSION_INVALID`, `LENGTH_MISMATCH`, `NOT_FINITE` */
export function checkVectors({ data, columns }: VectorSet, name: string): Vectors {
  if (!Number.isSafeInteger(columns) || columns < 1) {
    throw new GranuleError('DIMENSION_INVALID', `columns must be a positive integer, got ${columns}`, {
      columns,
    });
  }
  const values = checkFloats(data, `${name}.data`);
  if (values.length % columns !== 0) {
    throw new GranuleError('LENGTH_MISMATCH', `${values.length} values do not make ${name} of ${columns}`, {
      length: values.length,
      columns,
    });
  }
  return { data: values, rows: values.length / columns, columns };
}

/** @throws GranuleError as `checkVectors`; `LENGTH_MISMATCH` for vectors of different dimensions */
export function checkPair(words: VectorSet, patches: VectorSet): { words: Vectors; patches: Vectors } {
  if (words.columns !== patches.columns) {
    throw new GranuleError(
      'LENGTH_MISMATCH',
      `words have ${words.columns} numbers, patches ${patches.columns}`,
      { columns: patches.columns },
    );
  }
  return { words: checkVectors(words, 'words'), patches: checkVectors(patches, 'patches') };
}

/** s_ij = <u_i, v_j>, words x patches. */
export function similarities(words: Vectors, patches: Vectors): Float64Array {
  const tile = new Float64Array(words.rows * patches.rows);
  for (let i = 0; i < words.rows; i++) {
    for (let j = 0; j < patches.rows; j++) {
      let sum = 0;
      for (let d = 0; d < words.columns; d++) {
        sum += words.data[i * words.columns + d]! * patches.data[j * patches.columns + d]!;
      }
      tile[i * patches.rows + j] = sum;
    }
  }
  return tile;
}

/** Adds to the gradients of words and patches what that of their similarities, g, gives: dL/du_i = sum_j g_ij v_j, dL/dv_j = sum_i g_ij u_i. */
export function addSimilarityGradient(
  words: Vectors,
  patches: Vectors,
  g: Float64Array,
  wordGradient: Float64Array,
  patchGradient: Float64Array,
): void {
  const { columns } = words;
  for (let i = 0; i < words.rows; i++) {
    for (let j = 0; j < patches.rows; j++) {
      const slope = g[i * patches.rows + j]!;
      for (let d = 0; d < columns; d++) {
        wordGradient[i * columns + d]! += slope * patches.data[j * columns + d]!;
        patchGradient[j * columns + d]! += slope * words.data[i * columns + d]!;
      }
    }
  }
}

/** A score of similarities as one of vectors. */
export function scoreOfPair(
  words: VectorSet,
  patches: VectorSet,
  reduce: (tile: Float64Array, patches: number) => TileScore,
): PairScore {
  const pair = checkPair(words, patches);
  const tile = checkFloats(similarities(pair.words, pair.patches), 'similarities');
  const { score, gradient, temperatureGradient = 0 } = reduce(tile, pair.patches.rows);
  const wordGradient = new Float64Array(pair.words.data.length);
  const patchGradient = new Float64Array(pair.patches.data.length);
  addSimilarityGradient(pair.words, pair.patches, gradient, wordGradient, patchGradient);
  return { score, wordGradient, patchGradient, temperatureGradient };
}
