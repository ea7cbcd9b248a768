import { GranuleError } from '../../errors.js';
import type { NativeInBatchOptions } from '../../native/training-types.js';
import { checkLength, checkPositives } from './loss-arguments.js';

/** Which pairs of a batch are positives, and which are nothing. */
export interface InBatchPairs {
  /** The document of each query; document i for query i by default. Queries may share one: they do not compete for it. */
  readonly positives?: ArrayLike<number> | undefined;
  /** Per query, documents that are no negatives of it: further positives, say, or what nobody has judged. None by default. */
  readonly excluded?: readonly ArrayLike<number>[] | undefined;
}

/**
 * Pairs as the addon takes them.
 *
 * @throws GranuleError `INVALID_ARGUMENT`, `LENGTH_MISMATCH`; `TARGET_INVALID` where a query's positive is excluded
 */
export function checkInBatchPairs(
  { positives, excluded }: InBatchPairs,
  queries: number,
  documents: number,
): Pick<NativeInBatchOptions, 'positives' | 'excludedEnds' | 'excluded'> {
  if (positives !== undefined) checkPositives(positives, queries, documents);
  const own = positives && Uint32Array.from(positives);
  if (excluded === undefined) return { positives: own, excludedEnds: undefined, excluded: undefined };
  checkLength(excluded.length, 'excluded', queries);
  const ends = new Uint32Array(queries);
  const columns: number[] = [];
  for (let query = 0; query < queries; query++) {
    for (const column of Array.from(excluded[query]!)) {
      if (!Number.isSafeInteger(column) || column < 0 || column >= documents) {
        throw new GranuleError(
          'INVALID_ARGUMENT',
          `excluded of query ${query} must hold documents below ${documents}, got ${column}`,
          { query },
        );
      }
      if (column === (own?.[query] ?? query)) {
        throw new GranuleError('TARGET_INVALID', `the positive of query ${query} is excluded`, { query });
      }
      columns.push(column);
    }
    ends[query] = columns.length;
  }
  return { positives: own, excludedEnds: ends, excluded: Uint32Array.from(columns) };
}
