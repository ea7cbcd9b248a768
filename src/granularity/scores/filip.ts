import { GranuleError } from '../../errors.js';
import { checkKeys, show } from '../../index/arguments.js';
import type { Matrix } from '../../vectors/matrix.js';
import { transposeTile } from './best-matches.js';
import { meanMaxSim } from './max-sim.js';

/** Options of `filip`. */
export interface FilipOptions {
  /** `both`, the default, is the mean of the two directions. */
  readonly direction?: 'query-to-document' | 'document-to-query' | 'both' | undefined;
}

/**
 * Token-wise late interaction in both directions:
 *
 *     query to document: mean over i of max over j of s_ij        document to query: mean over j of max over i of s_ij
 *
 * The second asks that every patch of a document has its token: it punishes what the query does not mention. O(n_q n_d).
 * FILIP: Fine-grained Interactive Language-Image Pre-Training (2021).
 *
 * @param tile - n_q x n_d similarities; `similarityTile` makes it
 * @returns -Infinity where n_d is 0
 * @throws GranuleError `INVALID_ARGUMENT`, `LENGTH_MISMATCH`
 */
export function filip(tile: Matrix, options: FilipOptions = {}): number {
  checkKeys(options, ['direction']);
  const { direction = 'both' } = options;
  const forwards = meanMaxSim(tile);
  if (direction === 'query-to-document' || tile.columns === 0) return forwards;
  const backwards = meanMaxSim(transposeTile(tile));
  if (direction === 'document-to-query') return backwards;
  if (direction === 'both') return (forwards + backwards) / 2;
  throw new GranuleError(
    'INVALID_ARGUMENT',
    `direction must be one of query-to-document, document-to-query, both, got ${show(direction)}`,
  );
}
