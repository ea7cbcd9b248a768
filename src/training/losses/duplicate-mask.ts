import { checkLength, checkPositives } from './loss-arguments.js';

/**
 * Pairs of a batch that are false negatives, because the document is the query's positive once more: 1 at query i and column j
 * where `ids[j]` is the id of i's positive and j is another column. The `excluded` of `inBatchContrast`. O(n m).
 *
 * @param ids - per column, what the document is: equal ids are the same document (or entity, where all its documents are right)
 * @param positives - per query the column of its positive
 * @returns n x m
 * @throws GranuleError `LENGTH_MISMATCH`, `INVALID_ARGUMENT`
 */
export function duplicateMask(
  ids: readonly (string | number)[],
  positives: ArrayLike<number> = ids.map((_, i) => i),
): Uint8Array {
  checkLength(ids.length, 'ids');
  const queries = positives.length;
  checkPositives(positives, queries, ids.length);
  const mask = new Uint8Array(queries * ids.length);
  for (let query = 0; query < queries; query++) {
    const positive = positives[query]!;
    for (let column = 0; column < ids.length; column++) {
      if (column !== positive && ids[column] === ids[positive]) mask[query * ids.length + column] = 1;
    }
  }
  return mask;
}
