import { GranuleError } from '../errors.js';
import { type InterpolationOptions, interpolate } from '../fusion/interpolate.js';
import { checkKeys, show } from '../index/arguments.js';
import type { RankedList } from '../ranking/ranked-list.js';
import type { Matrix } from '../vectors/matrix.js';
import { scoreMargin } from './score-margin.js';

/** What a search with feedback works with; `Query` is one vector, or a matrix of several. */
export interface FeedbackSteps<Query> {
  /** The dense search. */
  readonly search: (query: Query) => Promise<RankedList>;
  /** The vectors of documents, in the order of the rows; for late interaction all vectors of all of them. */
  readonly vectorsOf: (rows: Uint32Array) => Promise<Matrix>;
  /** `refineQuery` or `centroidFeedback`, say. */
  readonly refine: (query: Query, feedback: Matrix) => Query | Promise<Query>;
}

/** Another list for the same query, over the same rows, and how it is mixed in. */
export interface SparseInterpolation extends InterpolationOptions {
  /** A sparse retriever's list; `weight` is its weight. */
  readonly list: RankedList;
  /**
   * Where it is mixed in: `before`, into the list that feedback is taken from; `after`, into the result; or `both`, the default,
   * which was found best for most data sets and metrics.
   */
  readonly where?: 'before' | 'after' | 'both' | undefined;
}

/** Options of `searchWithFeedback`. */
export interface FeedbackSearchOptions {
  /** Documents that are taken to be relevant: a positive integer, 3 by default. */
  readonly documents?: number | undefined;
  /** No feedback is used where `scoreMargin` of the first list is below this: finite, at least 0; 0, never, by default. */
  readonly minimumMargin?: number | undefined;
  /** Without it the dense search works alone. */
  readonly sparse?: SparseInterpolation | undefined;
}

/** What a search with feedback found, and by what. */
export interface FeedbackResult<Query> {
  readonly list: RankedList;
  /** The query of the last search. */
  readonly query: Query;
  /** Rows that feedback was taken from, best first; none where it was not used. */
  readonly feedback: Uint32Array;
}

/**
 * Searches, takes the first documents to be relevant, moves the query towards them and searches again, interpolating with a sparse
 * retriever's list before the feedback, after it, or both. Two searches, one where feedback is not used: where nothing was
 * found, or the first list's margin is too small; the sparse list is then still mixed into the result, for `after` and `both`.
 *
 * Source: Li et al., "To Interpolate or not to Interpolate: PRF, Dense and Sparse Retrievers" (2022). Its weights and numbers of
 * documents were tuned; take none of the defaults here for the article's.
 *
 * @throws GranuleError `INVALID_ARGUMENT`, and whatever the steps throw
 *
 * @example
 * ```ts
 * const { list } = await searchWithFeedback(
 *   queryVector,
 *   { search, vectorsOf, refine: (query, vectors) => refineQuery(query, vectors, { method: 'rocchio' }) },
 *   { documents: 5, sparse: { list: sparseList, weight: 0.3, where: 'both' } },
 * );
 * ```
 */
export async function searchWithFeedback<Query>(
  query: Query,
  { search, vectorsOf, refine }: FeedbackSteps<Query>,
  options: FeedbackSearchOptions = {},
): Promise<FeedbackResult<Query>> {
  checkKeys(options, ['documents', 'minimumMargin', 'sparse']);
  const { documents = 3, minimumMargin = 0, sparse } = options;
  if (!Number.isSafeInteger(documents) || documents < 1) {
    throw new GranuleError(
      'INVALID_ARGUMENT',
      `documents must be a positive integer, got ${show(documents)}`,
    );
  }
  if (!Number.isFinite(minimumMargin) || minimumMargin < 0) {
    throw new GranuleError(
      'INVALID_ARGUMENT',
      `minimumMargin must be a finite number of at least 0, got ${show(minimumMargin)}`,
    );
  }
  const { before, after } = mixers(sparse);

  const found = await search(query);
  const first = before(found);
  if (first.rows.length === 0 || scoreMargin(first, documents) < minimumMargin) {
    return { list: after(found), query, feedback: new Uint32Array() };
  }
  const feedback = first.rows.slice(0, documents);
  const moved = await refine(query, await vectorsOf(feedback));
  return { list: after(await search(moved)), query: moved, feedback };
}

interface Mixers {
  readonly before: (dense: RankedList) => RankedList;
  readonly after: (dense: RankedList) => RankedList;
}

function mixers(sparse: SparseInterpolation | undefined): Mixers {
  const alone = (dense: RankedList): RankedList => dense;
  if (sparse === undefined) return { before: alone, after: alone };
  checkKeys(sparse, ['list', 'where', 'weight', 'normalisation']);
  const { list, where = 'both', weight, normalisation } = sparse;
  if (where !== 'before' && where !== 'after' && where !== 'both') {
    throw new GranuleError('INVALID_ARGUMENT', `where must be before, after or both, got ${show(where)}`);
  }
  const mixed = (dense: RankedList): RankedList => interpolate(list, dense, { weight, normalisation });
  return { before: where === 'after' ? alone : mixed, after: where === 'before' ? alone : mixed };
}
