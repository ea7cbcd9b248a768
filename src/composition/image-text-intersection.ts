import { GranuleError } from '../errors.js';
import { defaultMinimum } from '../fusion/normalisation/default-minimum.js';
import { zmuvNorm } from '../fusion/normalisation/zmuv-norm.js';
import { checkKeys, checkQueries, show } from '../index/arguments.js';
import { type RankedList, rankedList, rowsOfAny } from '../ranking/ranked-list.js';
import { dot } from '../vectors/dot.js';
import { type Matrix, matrixRow } from '../vectors/matrix.js';

/** A basis vector counts as new where so much of its length is left over. */
const LEAST_NEW_SHARE = 1e-6;

/**
 * What satisfies every part of a query: s(d) = min_m z_m(s_m(d)), z the zero mean and unit variance of each part's list
 * (`zmuvNorm`), after a row that a list lacks got that list's least score (`defaultMinimum`). Lists that are empty are left out.
 * O(parts x rows x log).
 *
 * The intersection of image and text in place of their union is the idea of "SETR: A Two-Stage Semantic-Enhanced Framework for
 * Zero-Shot Composed Image Retrieval" (2025); this operator on scores is ours.
 *
 * @param lists - one per part: for the image, and for the text
 * @throws GranuleError `NOT_FINITE` for an infinite score
 */
export function intersectionOfParts(lists: readonly RankedList[]): RankedList {
  return aggregate(lists, Math.min);
}

/**
 * What satisfies the parts of a query on the whole: s(d) = sum_m z_m(s_m(d)), as `intersectionOfParts` but for the sum. One part may
 * outweigh another.
 *
 * @throws GranuleError `NOT_FINITE` for an infinite score
 */
export function unionOfParts(lists: readonly RankedList[]): RankedList {
  return aggregate(lists, (a, b) => a + b);
}

function aggregate(lists: readonly RankedList[], combine: (a: number, b: number) => number): RankedList {
  const rows = rowsOfAny(lists);
  const place = new Map(Array.from(rows, (row, i) => [row, i]));
  const scores = new Float64Array(rows.length);
  const present = defaultMinimum(lists.filter((list) => list.rows.length > 0));
  for (const [part, list] of present.map((own) => zmuvNorm(own)).entries()) {
    for (const [i, row] of list.rows.entries()) {
      const at = place.get(row)!;
      scores[at] = part === 0 ? list.scores[i]! : combine(scores[at]!, list.scores[i]!);
    }
  }
  return rankedList(rows, scores);
}

/** Options of `projectOnRelevantPatches`. */
export interface PatchProjectionOptions {
  /** How many patches span the space: those with the greatest inner products with the text, the lower row of equal ones; 8 by default. */
  readonly patches?: number | undefined;
}

/**
 * The part of an image's vector that the text speaks of: its orthogonal projection on the span of the patch vectors that are most
 * similar to the text. Gram-Schmidt in float64, twice per vector; patches that the earlier ones span already are passed over.
 * O(n d + patches^2 d).
 *
 * An operator of ours for the intersection of "SETR: A Two-Stage Semantic-Enhanced Framework for Zero-Shot Composed Image Retrieval"
 * (2025). Image, patches and text must lie in one space.
 *
 * @param image - d numbers
 * @param patches - n x d, at least one
 * @param text - d numbers
 * @throws GranuleError `INVALID_ARGUMENT`, `LENGTH_MISMATCH`, `NOT_FINITE`
 */
export function projectOnRelevantPatches(
  image: Float32Array,
  patches: Matrix,
  text: Float32Array,
  options: PatchProjectionOptions = {},
): Float32Array {
  checkKeys(options, ['patches']);
  const { patches: most = 8 } = options;
  if (!Number.isSafeInteger(most) || most < 1) {
    throw new GranuleError('INVALID_ARGUMENT', `patches must be a positive integer, got ${show(most)}`);
  }
  checkQueries(patches, image.length, 'patches');
  if (text.length !== image.length) {
    throw new GranuleError('LENGTH_MISMATCH', `text has ${text.length} numbers, image has ${image.length}`);
  }
  for (const [name, data] of Object.entries({ image, patches: patches.data, text })) {
    const bad = data.findIndex((value) => !Number.isFinite(value));
    if (bad !== -1) throw new GranuleError('NOT_FINITE', `${name} holds ${data[bad]} at ${bad}`);
  }
  const relevance = Float64Array.from({ length: patches.rows }, (_, row) =>
    dot(matrixRow(patches, row), text),
  );
  const chosen = Uint32Array.from(relevance.keys())
    .sort((a, b) => relevance[b]! - relevance[a]! || a - b)
    .subarray(0, most);
  const projection = new Float64Array(image.length);
  const basis: Float64Array[] = [];
  for (const row of chosen) {
    const vector = Float64Array.from(matrixRow(patches, row));
    const length = Math.sqrt(dot(vector, vector));
    for (const axis of [...basis, ...basis]) addTo(vector, axis, -dot(vector, axis));
    const left = Math.sqrt(dot(vector, vector));
    if (left <= LEAST_NEW_SHARE * length) continue;
    const axis = vector.map((value) => value / left);
    basis.push(axis);
    addTo(projection, axis, dot(image, axis));
  }
  return Float32Array.from(projection);
}

function addTo(sum: Float64Array, vector: Float64Array, factor: number): void {
  for (let k = 0; k < sum.length; k++) sum[k]! += factor * vector[k]!;
}
