import { GranuleError } from '../../errors.js';
import { checkIndexOptions, checkKeys, checkSignal, MAX_PLACES } from '../../index/arguments.js';
import { abortable } from '../../native/abortable.js';
import { loadAddon } from '../../native/load-addon.js';
import type { Matrix } from '../../vectors/matrix.js';
import { checkDocumentVectors, checkQueryVectors } from './vector-checks.js';

/** How a call over several vectors per document runs. */
export interface ScoringOptions {
  /** Most threads; 0, the default, means one per core. Results do not depend on it. */
  readonly threads?: number | undefined;
  /** Stops the work. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Similarities of every query vector with every document vector: the inner products of the reference arithmetic (float64
 * over eight lanes, lane l adding the products of elements l, l + 8, ..., then ((0+1)+(2+3)) + ((4+5)+(6+7))), each rounded
 * once to float32, as `FlatIndex` and `MultiVectorIndex` score. O(n_q n_d d), on threads of the engine; the same bits on every
 * machine and with every number of threads. Arrays are read where they lie: leave them as they are until the promise settles.
 *
 * @param query - n_q x d finite values, n_q at least 1, d up to 65,536
 * @param document - n_d x d finite values; n_d may be 0
 * @returns n_q x n_d
 * @throws GranuleError `INVALID_ARGUMENT`, `DIMENSION_INVALID`, `LENGTH_MISMATCH` (also for a query without vectors); `NOT_FINITE`
 * where a similarity is beyond float32 or of a value that is not finite, `details.row` the query vector, `details.column` the document
 * vector; `OUT_OF_MEMORY` for more than 2^28 similarities; `ABORTED`
 */
export async function similarityTile(
  query: Matrix,
  document: Matrix,
  options: ScoringOptions = {},
): Promise<Matrix> {
  checkKeys(options, ['threads', 'signal']);
  const { dimension, threads } = checkIndexOptions({ dimension: query.columns, threads: options.threads });
  const signal = checkSignal(options.signal);
  const queryData = checkQueryVectors(query, dimension);
  const documentData = checkDocumentVectors(document, dimension);
  const [rows, columns] = [queryData.length / dimension, documentData.length / dimension];
  if (rows * columns > MAX_PLACES) {
    throw new GranuleError(
      'OUT_OF_MEMORY',
      `a tile holds at most ${MAX_PLACES} similarities, this one ${rows} x ${columns}; divide the vectors`,
      { rows, columns },
    );
  }
  const data = new Float32Array(rows * columns);
  await abortable(signal, (cancel) =>
    loadAddon().similarityTile(queryData, documentData, { dimension, threads, cancel }, data),
  );
  return { data, rows, columns };
}
