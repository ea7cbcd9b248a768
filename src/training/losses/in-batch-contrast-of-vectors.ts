import { checkKeys, checkSignal } from '../../index/arguments.js';
import { abortable } from '../../native/abortable.js';
import { loadAddon } from '../../native/load-addon.js';
import type { Matrix } from '../../vectors/matrix.js';
import { checkTowerVectors } from '../towers/tower-vectors.js';
import {
  checkVectorContrast,
  gradientNumbers,
  VECTOR_CONTRAST_OPTIONS,
  type VectorContrastOptions,
} from './contrast-arguments.js';
import { checkInBatchPairs, type InBatchPairs } from './in-batch-pairs.js';

/** Options of {@link inBatchContrastOfVectors}. */
export interface InBatchContrastOfVectorsOptions extends VectorContrastOptions, InBatchPairs {}

/** What a contrast of vectors gives. */
export interface VectorContrast {
  readonly loss: number;
  /** dL/dq: queries x columns. */
  readonly queryGradient: Matrix;
  /** dL/dd: documents x columns. */
  readonly documentGradient: Matrix;
  /** dL/dt. For a learned ln t it is t times this. */
  readonly temperatureGradient: number;
}

/**
 * `inBatchContrast` of s_ij = <q_i, d_j>, on the engine's threads and without the matrix of scores: d(i) is the positive of query i, document i
 * by default, documents that are nobody's are hard negatives of all, x_ij says that j is excluded for i, or another document of d(i)'s group.
 *
 *     L = sum_i w_i l_i / sum_i w_i
 *     query to document   l_i = -ln ( exp(s_i,d(i) / t) / sum over documents j, not x_ij, of exp(s_ij / t) )
 *     document to query   l_i = -ln ( exp(s_i,d(i) / t) / sum over i and queries k, d(k) != d(i), not x_k,d(i), of exp(s_k,d(i) / t) )
 *
 * The gradients are what `TowerPass.backward` takes. Similarities and gradients are float32, everything between them float64: the same bits for
 * every number of threads and on every machine. 3 n m columns multiply-adds: a product of matrices for the similarities and
 * two for the gradients. Both directions at once keep the similarities up to 512 MiB, and compute them twice beyond; where 2 max|q| max|d|
 * is above 600 t the directions are done one after the other, at twice the cost. Else 8 MiB or 64 rows of similarities are kept.
 *
 * Sources: those of `inBatchContrast`.
 *
 * @param queries - n x columns, such as a tower's outputs; left as they are until the promise settles
 * @param documents - m x columns; m >= n without `positives`
 * @throws GranuleError `INVALID_ARGUMENT`, `LENGTH_MISMATCH`, `TEMPERATURE_INVALID`, `OUT_OF_MEMORY`, `ABORTED`; `TARGET_INVALID` for weights
 * below 0, or of which none is above 0, and where a positive is excluded; `NOT_FINITE` with `details.row` and `.column` of a vector or a similarity, and where the loss or a gradient
 * is not
 */
export async function inBatchContrastOfVectors(
  queries: Matrix,
  documents: Matrix,
  options: InBatchContrastOfVectorsOptions = {},
): Promise<VectorContrast> {
  checkKeys(options, [...VECTOR_CONTRAST_OPTIONS, 'positives', 'excluded']);
  const columns = queries?.columns;
  const q = checkTowerVectors(queries, columns, 'queries');
  const d = checkTowerVectors(documents, columns, 'documents');
  const [n, m] = [q.length / columns, d.length / columns];
  const native = {
    ...checkVectorContrast(options, columns, n, m, options.positives === undefined ? n : 1),
    ...checkInBatchPairs(options, n, m),
  };
  const gradients = {
    queries: gradientNumbers(options, q.length),
    documents: gradientNumbers(options, d.length),
  };
  const { loss, temperatureGradient } = await abortable(checkSignal(options.signal), (cancel) =>
    loadAddon().inBatchContrast(q, d, { ...native, cancel }, gradients),
  );
  return {
    loss,
    queryGradient: { data: gradients.queries, rows: n, columns },
    documentGradient: { data: gradients.documents, rows: m, columns },
    temperatureGradient,
  };
}
