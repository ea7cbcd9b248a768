import { checkKeys, checkTemperature } from '../../../index/arguments.js';
import { type InBatchContrastOptions, inBatchContrast } from '../in-batch-contrast.js';
import {
  checkAtLeast,
  checkFloats,
  checkLength,
  type Floats,
  type TemperatureOption,
} from '../loss-arguments.js';
import { groupGradient, patchGroup } from './sparc-groups.js';
import {
  addSimilarityGradient,
  checkPair,
  similarities,
  type VectorSet,
  type Vectors,
} from './vector-sets.js';

/** What {@link sparcFineContrast} gives. */
export interface SparcFineContrast {
  readonly loss: number;
  /** dL/du, words x columns. */
  readonly wordGradient: Float64Array;
  /** dL/dv, patches x columns. */
  readonly patchGradient: Float64Array;
  /** dL/dt. */
  readonly temperatureGradient: number;
}

/** Norms below it count as it, as in the towers. */
const LEAST_NORM = 1e-12;

/**
 * SPARC's fine loss within one pair of a text and an image: each word i has to find its own group of patches c_i (`patchGroup`) among the
 * groups of the text's words, and the group its word. With x^ = x / max(|x|, 1e-12), over the n x n matrix <u^_i, c^_k>:
 *
 *     L = `inBatchContrast` in both directions
 *
 * A text of one word has a loss of 0. The gradient passes through the groups' weights. O(words x (words + patches) x columns).
 *
 * Source: "Improving fine-grained understanding in image-text pre-training" (2024).
 *
 * @throws GranuleError `INVALID_ARGUMENT`, `DIMENSION_INVALID`, `LENGTH_MISMATCH`, `NOT_FINITE`, `TEMPERATURE_INVALID`
 */
export function sparcFineContrast(
  words: VectorSet,
  patches: VectorSet,
  options: TemperatureOption = {},
): SparcFineContrast {
  checkKeys(options, ['temperature']);
  const { words: u, patches: v } = checkPair(words, patches);
  const tile = checkFloats(similarities(u, v), 'similarities');
  const groups = Array.from({ length: u.rows }, (_, i) =>
    patchGroup(tile.subarray(i * v.rows, (i + 1) * v.rows)),
  );
  const pooled: Vectors = { data: new Float64Array(u.data.length), rows: u.rows, columns: u.columns };
  for (const [i, { weights }] of groups.entries()) {
    for (const [j, weight] of weights.entries()) {
      for (let d = 0; d < u.columns; d++) {
        pooled.data[i * u.columns + d]! += weight * v.data[j * u.columns + d]!;
      }
    }
  }
  const [unitWords, unitPooled] = [normalised(u), normalised(pooled)];
  const { loss, gradient, temperatureGradient } = inBatchContrast(similarities(unitWords, unitPooled), {
    queries: u.rows,
    temperature: checkTemperature(options.temperature ?? 1),
  });

  const [wordSlopes, pooledSlopes] = [new Float64Array(u.data.length), new Float64Array(u.data.length)];
  addSimilarityGradient(unitWords, unitPooled, gradient, wordSlopes, pooledSlopes);
  const wordGradient = throughNorm(u, wordSlopes);
  const patchGradient = new Float64Array(v.data.length);
  // c_i = sum_j w_ij v_j: to the patches as they are weighted, and through the weights to the similarities.
  const toPooled: Vectors = { ...pooled, data: throughNorm(pooled, pooledSlopes) };
  const weightSlopes = similarities(toPooled, v);
  const tileGradient = new Float64Array(tile.length);
  for (const [i, group] of groups.entries()) {
    tileGradient.set(groupGradient(group, weightSlopes.subarray(i * v.rows, (i + 1) * v.rows)), i * v.rows);
    for (const [j, weight] of group.weights.entries()) {
      for (let d = 0; d < u.columns; d++) {
        patchGradient[j * u.columns + d]! += weight * toPooled.data[i * u.columns + d]!;
      }
    }
  }
  addSimilarityGradient(u, v, tileGradient, wordGradient, patchGradient);
  return { loss, wordGradient, patchGradient, temperatureGradient };
}

/** Options of {@link sparcContrast}. */
export interface SparcContrastOptions {
  /** Of the contrast of whole images and texts: finite, at least 0; 1 by default. */
  readonly globalWeight?: number | undefined;
  /** Of the contrast within each pair: finite, at least 0; 1 by default. */
  readonly fineWeight?: number | undefined;
  /** Of the global contrast; 1 by default. */
  readonly globalTemperature?: number | undefined;
  /** Of the fine contrast; 1 by default. */
  readonly fineTemperature?: number | undefined;
}

/** What {@link sparcContrast} gives. */
export interface SparcContrast {
  readonly loss: number;
  /** dL/d(global scores), n x n. */
  readonly globalGradient: Float64Array;
  readonly globalTemperatureGradient: number;
  readonly fineTemperatureGradient: number;
  /** Per pair, dL/du. */
  readonly wordGradients: readonly Float64Array[];
  /** Per pair, dL/dv. */
  readonly patchGradients: readonly Float64Array[];
}

/**
 * SPARC over a batch of n pairs: L = l_g `inBatchContrast` (both directions) of the global scores + l_f mean over pairs of `sparcFineContrast`.
 * The published weights are tuned; 1 and 1 are this project's defaults.
 *
 * Source: "Improving fine-grained understanding in image-text pre-training" (2024).
 *
 * @param globalScores - n x n, row-major: text i and image j, by their pooled vectors
 * @param pairs - per pair, its words and patches
 * @throws GranuleError `INVALID_ARGUMENT`, `DIMENSION_INVALID`, `LENGTH_MISMATCH`, `NOT_FINITE`, `TEMPERATURE_INVALID`
 */
export function sparcContrast(
  globalScores: Floats,
  pairs: readonly { readonly words: VectorSet; readonly patches: VectorSet }[],
  options: SparcContrastOptions = {},
): SparcContrast {
  checkKeys(options, ['globalWeight', 'fineWeight', 'globalTemperature', 'fineTemperature']);
  const globalWeight = checkAtLeast(options.globalWeight ?? 1, 0, 'globalWeight');
  const fineWeight = checkAtLeast(options.fineWeight ?? 1, 0, 'fineWeight');
  checkLength(pairs.length, 'pairs');
  checkLength(globalScores.length, 'globalScores', pairs.length ** 2);
  const settings: InBatchContrastOptions = { queries: pairs.length, temperature: options.globalTemperature };
  const whole = inBatchContrast(globalScores, settings);
  const fine = pairs.map(({ words, patches }) =>
    sparcFineContrast(words, patches, { temperature: options.fineTemperature }),
  );
  const share = fineWeight / pairs.length;
  const scaled = (gradient: Float64Array, weight: number) => gradient.map((g) => weight * g);
  return {
    loss: fine.reduce((sum, { loss }) => sum + share * loss, globalWeight * whole.loss),
    globalGradient: scaled(whole.gradient, globalWeight),
    globalTemperatureGradient: globalWeight * whole.temperatureGradient,
    fineTemperatureGradient: fine.reduce((sum, { temperatureGradient: g }) => sum + share * g, 0),
    wordGradients: fine.map(({ wordGradient }) => scaled(wordGradient, share)),
    patchGradients: fine.map(({ patchGradient }) => scaled(patchGradient, share)),
  };
}

function norms({ data, rows, columns }: Vectors): Float64Array {
  return Float64Array.from({ length: rows }, (_, i) => {
    const row = data.subarray(i * columns, (i + 1) * columns);
    return Math.sqrt(row.reduce((sum, x) => sum + x * x, 0));
  });
}

function normalised(vectors: Vectors): Vectors {
  const lengths = norms(vectors);
  const { data, columns } = vectors;
  return {
    ...vectors,
    data: data.map((x, at) => x / Math.max(lengths[Math.floor(at / columns)]!, LEAST_NORM)),
  };
}

/** dL/dx of g = dL/dx^: (g - x^ <x^, g>) / |x|, and g / 1e-12 where |x| is below that. */
function throughNorm(vectors: Vectors, g: Float64Array): Float64Array {
  const lengths = norms(vectors);
  const { data, columns } = vectors;
  const gradient = new Float64Array(g.length);
  for (const [i, length] of lengths.entries()) {
    const divisor = Math.max(length, LEAST_NORM);
    const from = i * columns;
    let along = 0;
    for (let d = from; d < from + columns; d++) along += (data[d]! / divisor) * g[d]!;
    for (let d = from; d < from + columns; d++) {
      const radial = length > LEAST_NORM ? (data[d]! / divisor) * along : 0;
      gradient[d] = (g[d]! - radial) / divisor;
    }
  }
  return gradient;
}
