import { GranuleError } from '../errors.js';
import { checkKeys, checkQueries, show } from '../index/arguments.js';
import { type Matrix, matrix, matrixRow } from '../vectors/matrix.js';

/** One part of a composed query. */
export interface QueryPart {
  /** Usually of unit length, so that weights mean what they say. */
  readonly vector: Float32Array;
  /** Any finite number; a negative one asks for less of it. */
  readonly weight: number;
}

/** Options of `composeQuery`. */
export interface ComposeOptions {
  /** Whether the sum is brought to unit length; false by default. */
  readonly normalise?: boolean | undefined;
}

/**
 * A weighted sum of vectors, z = sum_m w_m v_m, in float64 and rounded once to float32. It is not renormalised unless asked:
 * inner products with z are then the weighted sums of those with the parts, and only their order matters to a search. O(parts x d).
 *
 * Source: "F4-ITS: Fine-grained Feature Fusion for Food Image-Text Search" (2025), with 0.7 image + 0.3 text.
 *
 * @param parts - at least one, all of one dimension
 * @throws GranuleError `INVALID_ARGUMENT`, `LENGTH_MISMATCH`, `NOT_FINITE` for a part that is not finite; with `normalise` also for a sum of 0
 *
 * @example
 * ```ts
 * composeQuery([
 *   { vector: Float32Array.of(1, 0), weight: 0.75 },
 *   { vector: Float32Array.of(0, 1), weight: 0.25 },
 * ]); // Float32Array [0.75, 0.25]
 * ```
 */
export function composeQuery(parts: readonly QueryPart[], options: ComposeOptions = {}): Float32Array {
  checkKeys(options, ['normalise']);
  const { normalise = false } = options;
  if (!Array.isArray(parts) || parts.length === 0) {
    throw new GranuleError('INVALID_ARGUMENT', 'a query is composed of at least one part');
  }
  const dimension = parts[0]!.vector.length;
  const sum = new Float64Array(dimension);
  for (const [part, { vector, weight }] of parts.entries()) {
    if (typeof weight !== 'number' || !Number.isFinite(weight)) {
      throw new GranuleError('INVALID_ARGUMENT', `weight must be a finite number, got ${show(weight)}`, {
        part,
      });
    }
    if (vector.length !== dimension) {
      throw new GranuleError(
        'LENGTH_MISMATCH',
        `part ${part} has ${vector.length} numbers, part 0 has ${dimension}`,
        {
          part,
        },
      );
    }
    for (let k = 0; k < dimension; k++) sum[k]! += weight * vector[k]!;
  }
  const length = normalise ? Math.hypot(...sum) : 1;
  const composed = Float32Array.from(sum, (value) => value / length);
  const bad = composed.findIndex((value) => !Number.isFinite(value));
  if (bad !== -1) {
    throw new GranuleError('NOT_FINITE', `number ${bad} of the composed query is ${composed[bad]}`, {
      column: bad,
    });
  }
  return composed;
}

/** Options of `facetQueries`. */
export interface FacetQueryOptions {
  /** Weight of the whole query; 0.7 by default. */
  readonly queryWeight?: number | undefined;
  /** Weight of the facet; 0.3 by default. */
  readonly facetWeight?: number | undefined;
}

/**
 * One query per facet, an ingredient or a detail that is asked for: z_f = queryWeight q + facetWeight g_f. Search each, and choose with
 * `coverFacets`. O(facets x d).
 *
 * Source: "F4-ITS: Fine-grained Feature Fusion for Food Image-Text Search" (2025).
 *
 * @param query - d numbers
 * @param facets - facets x d, at least one
 * @throws GranuleError as `composeQuery`
 */
export function facetQueries(query: Float32Array, facets: Matrix, options: FacetQueryOptions = {}): Matrix {
  checkKeys(options, ['queryWeight', 'facetWeight']);
  const { queryWeight = 0.7, facetWeight = 0.3 } = options;
  checkQueries(facets, query.length, 'facets');
  const composed = new Float32Array(facets.data.length);
  for (let f = 0; f < facets.rows; f++) {
    const parts = [
      { vector: query, weight: queryWeight },
      { vector: matrixRow(facets, f), weight: facetWeight },
    ];
    composed.set(composeQuery(parts), f * query.length);
  }
  return matrix(composed, query.length);
}
