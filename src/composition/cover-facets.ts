import { GranuleError } from '../errors.js';
import { checkKeys, show } from '../index/arguments.js';
import { type RankedList, rankedList } from '../ranking/ranked-list.js';

/** Options of `coverFacets`. */
export interface CoverOptions {
  /** Least score, exclusive, at which a row stands for a facet; 0.6 by default, for cosines. */
  readonly threshold?: number | undefined;
  /** How many of each list's first rows may stand for its facet; 10 by default. */
  readonly candidates?: number | undefined;
}

/** The rows that stand for the facets of a query. */
export interface FacetCover {
  /** The chosen rows by their scores. */
  readonly list: RankedList;
  /** Per facet its row, or -1 where none reached the threshold. */
  readonly rows: Int32Array;
  /** Share of the facets that have a row. */
  readonly coverage: number;
}

/**
 * For each facet in turn the candidate of its own that scores best against the facet alone, if that is above the threshold and
 * no earlier facet took it. Equal scores: the lower row. O(facets x candidates).
 *
 * Source: "F4-ITS: Fine-grained Feature Fusion for Food Image-Text Search" (2025).
 *
 * @param lists - per facet what a search for its composed query found (`facetQueries`)
 * @param score - of a row against a facet alone, a cosine for instance
 * @throws GranuleError `INVALID_ARGUMENT`, `NOT_FINITE` for a score that is NaN
 */
export function coverFacets(
  lists: readonly RankedList[],
  score: (facet: number, row: number) => number,
  options: CoverOptions = {},
): FacetCover {
  checkKeys(options, ['threshold', 'candidates']);
  const { threshold = 0.6, candidates = 10 } = options;
  if (typeof threshold !== 'number' || Number.isNaN(threshold)) {
    throw new GranuleError('INVALID_ARGUMENT', `threshold must be a number, got ${show(threshold)}`);
  }
  if (!Number.isSafeInteger(candidates) || candidates < 1) {
    throw new GranuleError(
      'INVALID_ARGUMENT',
      `candidates must be a positive integer, got ${show(candidates)}`,
    );
  }
  const taken = new Map<number, number>();
  const rows = new Int32Array(lists.length).fill(-1);
  for (const [facet, list] of lists.entries()) {
    let [best, greatest] = [-1, threshold];
    for (const row of list.rows.subarray(0, candidates)) {
      if (taken.has(row)) continue;
      const own = score(facet, row);
      if (Number.isNaN(own)) {
        throw new GranuleError('NOT_FINITE', `the score of row ${row} for facet ${facet} is NaN`, {
          facet,
          row,
        });
      }
      if (own > greatest || (own === greatest && best !== -1 && row < best)) [best, greatest] = [row, own];
    }
    if (best === -1) continue;
    rows[facet] = best;
    taken.set(best, greatest);
  }
  return {
    list: rankedList([...taken.keys()], [...taken.values()]),
    rows,
    coverage: lists.length === 0 ? 0 : taken.size / lists.length,
  };
}
