import { GranuleError } from '../errors.js';
import { minMaxNorm } from '../fusion/normalisation/min-max-norm.js';
import { checkKeys, checkVectors, show } from '../index/arguments.js';
import type { RankedList } from '../ranking/ranked-list.js';
import { dot } from '../vectors/dot.js';
import { type Matrix, matrixRow } from '../vectors/matrix.js';

/** Options of `diversify`. Give either `labels` or `vectors`. */
export interface DiversifyOptions {
  /** The name under which a pipeline called; not read. */
  readonly method?: string | undefined;
  /** One per place: items of one label are alike (1), others are not (0). */
  readonly labels?: readonly (string | number)[] | undefined;
  /** One per place; items are as alike as the cosine of their vectors, but at least 0. */
  readonly vectors?: Matrix | undefined;
  /** Lambda, the share of relevance against novelty, 0 to 1; 0.7 by default. 1 leaves the order as it is. */
  readonly relevance?: number | undefined;
  /** Places of the result, at least 1; all by default. */
  readonly k?: number | undefined;
}

/**
 * Maximal marginal relevance: takes, one after another, the item of
 *
 *     argmax_d  lambda s'(d) - (1 - lambda) max_{c taken} likeness(d, c)           s': min-max over the list
 *
 * the lower row where two are equal. That value is the item's new score; it never rises from place to place. O(k n d).
 *
 * Source: Carbonell and Goldstein, "The Use of MMR, Diversity-Based Reranking for Reordering Documents and Producing Summaries" (1998);
 * the floor of 0 under the likeness is ours, so that scores fall.
 *
 * @throws GranuleError `INVALID_ARGUMENT`, `LENGTH_MISMATCH`, `K_OUT_OF_RANGE`, `NOT_FINITE`
 */
export function diversify(list: RankedList, options: DiversifyOptions): RankedList {
  checkKeys(options, ['method', 'labels', 'vectors', 'relevance', 'k']);
  const { relevance = 0.7, k = Math.max(1, list.rows.length) } = options;
  if (typeof relevance !== 'number' || !(relevance >= 0 && relevance <= 1)) {
    throw new GranuleError(
      'INVALID_ARGUMENT',
      `relevance must be a number from 0 to 1, got ${show(relevance)}`,
    );
  }
  if (!Number.isSafeInteger(k) || k < 1) {
    throw new GranuleError('K_OUT_OF_RANGE', `k must be a positive integer, got ${show(k)}`);
  }
  const likeness = likenessOf(list, options);
  // Min-max keeps the order and may only make equal what nearly was: by row, the places do not stay. So by row number.
  const normalised = minMaxNorm(list);
  const byRow = new Map(Array.from(normalised.rows, (row, place) => [row, normalised.scores[place]!]));
  const nearest = new Float64Array(list.rows.length);
  const left = new Set(list.rows.keys());
  const rows = new Uint32Array(Math.min(k, list.rows.length));
  const scores = new Float64Array(rows.length);
  for (let place = 0; place < rows.length; place++) {
    let best = -1;
    let greatest = -Infinity;
    for (const item of left) {
      const value = relevance * byRow.get(list.rows[item]!)! - (1 - relevance) * nearest[item]!;
      if (value > greatest || (value === greatest && list.rows[item]! < list.rows[best]!)) {
        best = item;
        greatest = value;
      }
    }
    left.delete(best);
    rows[place] = list.rows[best]!;
    scores[place] = greatest;
    for (const item of left) nearest[item] = Math.max(nearest[item]!, likeness(item, best));
  }
  return { rows, scores };
}

/** How alike two places are, at most 1. */
function likenessOf(
  { rows }: RankedList,
  { labels, vectors }: DiversifyOptions,
): (a: number, b: number) => number {
  if ((labels === undefined) === (vectors === undefined)) {
    throw new GranuleError('INVALID_ARGUMENT', 'give either labels or vectors');
  }
  const given = labels?.length ?? vectors!.rows;
  if (given !== rows.length) {
    throw new GranuleError('LENGTH_MISMATCH', `${rows.length} places have ${given} labels or vectors`, {
      places: rows.length,
      given,
    });
  }
  if (labels !== undefined) return (a, b) => (labels[a] === labels[b] ? 1 : 0);
  const items = vectors!;
  checkVectors(items, items.columns, 'vectors');
  const norms = Array.from({ length: items.rows }, (_, i) =>
    Math.sqrt(dot(matrixRow(items, i), matrixRow(items, i))),
  );
  const bad = norms.findIndex((norm) => !Number.isFinite(norm));
  if (bad !== -1) throw new GranuleError('NOT_FINITE', `vector ${bad} is not finite`, { row: bad });
  return (a, b) => {
    const scale = norms[a]! * norms[b]!;
    return scale === 0 ? 0 : dot(matrixRow(items, a), matrixRow(items, b)) / scale;
  };
}
