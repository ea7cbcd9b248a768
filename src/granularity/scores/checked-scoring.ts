import { GranuleError } from '../../errors.js';
import { checkFloat32, checkKeys, checkTemperature, show } from '../../index/arguments.js';
import {
  FILIP_DIRECTION_CODES,
  MULTI_VECTOR_SCORE_CODES,
  type NativeScoring,
} from '../../native/multi-vector-types.js';
import type { Matrix } from '../../vectors/matrix.js';
import { checkWhole, registered } from '../option-checks.js';
import { MULTI_VECTOR_SCORES, type MultiVectorScoreName } from './multi-vector-scores.js';
import type { BiIsaOptions, FilipOptions, QueryWeightOptions, TopMeanSimOptions } from './score-options.js';

type AnyOptions = QueryWeightOptions &
  TopMeanSimOptions &
  FilipOptions &
  BiIsaOptions & { readonly temperature?: number | undefined };

/** The most that the engine averages: more than a document may have vectors. */
const MAX_MOST = 0xffff_ffff;

/**
 * The score of that name with its options, defaults filled in.
 *
 * @param queryVectors - how many the query has
 * @param lengths - vectors per document
 * @param run - further options that the call has
 * @throws GranuleError `INVALID_ARGUMENT`, `LENGTH_MISMATCH`, `TEMPERATURE_INVALID`
 */
export function checkedScoring(
  name: MultiVectorScoreName,
  options: object,
  queryVectors: number,
  lengths: Uint32Array,
  run: readonly string[],
): NativeScoring {
  const defaults: AnyOptions = registered(MULTI_VECTOR_SCORES, name, 'name');
  checkKeys(options, [...Object.keys(defaults), ...run]);
  const { weights, temperature, most, direction, ...mixing } = options as AnyOptions;
  const orders = { queryVectors, lengths };
  return {
    score: MULTI_VECTOR_SCORE_CODES[name],
    weights: checkedWeights(weights, queryVectors, name),
    // Scores without a temperature do not read it.
    temperature: checkTemperature(temperature ?? defaults.temperature ?? 1),
    most: Math.min(checkWhole(most ?? defaults.most ?? 1, 1, 'most'), MAX_MOST),
    direction: registered(FILIP_DIRECTION_CODES, direction ?? defaults.direction ?? 'both', 'direction'),
    wordMixing: checkedMixing(mixing.wordMixing, orders, 'wordMixing'),
    overPatchesMixing: checkedMixing(mixing.overPatchesMixing, orders, 'overPatchesMixing'),
    patchMixing: checkedMixing(mixing.patchMixing, orders, 'patchMixing'),
    overWordsMixing: checkedMixing(mixing.overWordsMixing, orders, 'overWordsMixing'),
  };
}

/** A copy of the weights: they must not change under the engine's hands. */
function checkedWeights(
  weights: ArrayLike<number> | undefined,
  vectors: number,
  name: MultiVectorScoreName,
): Float64Array | undefined {
  if (weights === undefined) return undefined;
  if (weights.length !== vectors) {
    throw new GranuleError('LENGTH_MISMATCH', `${weights.length} weights for ${vectors} query vectors`, {
      length: weights.length,
    });
  }
  const copy = new Float64Array(vectors);
  for (let i = 0; i < vectors; i++) {
    const weight = weights[i]!;
    if (!Number.isFinite(weight) || weight < 0) {
      throw new GranuleError(
        'INVALID_ARGUMENT',
        `a weight must be a finite number of at least 0, got ${show(weight)} for query vector ${i}`,
      );
    }
    copy[i] = weight;
  }
  if (!isSum(name) && copy.every((weight) => weight === 0)) {
    throw new GranuleError('INVALID_ARGUMENT', 'at least one weight must be above 0');
  }
  return copy;
}

/** Whether a score adds what the others average, so that all weights may be 0. */
function isSum(name: MultiVectorScoreName): boolean {
  return name === 'maxsim' || name === 'smooth-maxsim' || name === 'top-mean';
}

function checkedMixing(
  mixing: Matrix | undefined,
  { queryVectors, lengths }: { queryVectors: number; lengths: Uint32Array },
  name: keyof BiIsaOptions,
): Float32Array | undefined {
  if (mixing === undefined) return undefined;
  const { data, rows, columns } = mixing;
  checkFloat32(data, `${name}.data`);
  const overWords = name === 'wordMixing' || name === 'overWordsMixing';
  const wrong = overWords ? rows !== queryVectors : lengths.some((length) => length !== 0 && length !== rows);
  if (wrong || columns !== rows || data.length !== rows * columns) {
    const order = overWords
      ? `${queryVectors}, the number of query vectors`
      : 'the length of every document that has vectors';
    throw new GranuleError(
      'LENGTH_MISMATCH',
      `${name} must be a square matrix of order ${order}, got ${show(rows)} x ${show(columns)} with ${data.length} values`,
      { rows, columns },
    );
  }
  return data;
}
