import { GranuleError } from '../../errors.js';
import { checkKeys, checkSignal, show } from '../../index/arguments.js';
import { abortable } from '../../native/abortable.js';
import { loadAddon } from '../../native/load-addon.js';
import type { Matrix } from '../../vectors/matrix.js';
import { NativeTower } from '../towers/native-tower.js';
import { Tower } from '../towers/tower.js';
import { checkTowerVectors } from '../towers/tower-vectors.js';
import { checkVectorContrast, VECTOR_CONTRAST_OPTIONS } from './contrast-arguments.js';
import type { InBatchContrastOfVectorsOptions } from './in-batch-contrast-of-vectors.js';
import { checkInBatchPairs } from './in-batch-pairs.js';

/** One side of {@link inBatchContrastOfTowers}. */
export interface ContrastSide {
  /** Frozen vectors: rows x the tower's input; left as they are until the promise settles. */
  readonly vectors: Matrix;
  /** What maps them; without one they are compared as they are. */
  readonly tower?: Tower | undefined;
}

/** Options of {@link inBatchContrastOfTowers}. */
export type InBatchContrastOfTowersOptions = Omit<InBatchContrastOfVectorsOptions, 'workspace'>;

/** What {@link inBatchContrastOfTowers} gives. */
export interface TowerContrast {
  readonly loss: number;
  /** dL/dt. For a learned ln t it is t times this. */
  readonly temperatureGradient: number;
}

/**
 * `inBatchContrastOfVectors` of what towers make of frozen vectors, and backwards through them, in one call: the same bits as
 *
 *     q = query.tower.forward(query.vectors),  d = document.tower.forward(document.vectors)
 *     inBatchContrastOfVectors(q.outputs, d.outputs, options)
 *     q.backward(queryGradient),  d.backward(documentGradient)
 *
 * without four turns of the event loop, and without an array for the garbage collector. Adds dL/dparameter to the towers' gradients, one after
 * the other; both sides may have one tower. Calls that add to a tower's gradients wait for each other, in their order.
 *
 * @throws GranuleError as these; `NOT_FINITE` before anything is added; `ABORTED`, when gradients may hold a part: zero them
 */
export async function inBatchContrastOfTowers(
  query: ContrastSide,
  document: ContrastSide,
  options: InBatchContrastOfTowersOptions = {},
): Promise<TowerContrast> {
  checkKeys(
    options,
    [...VECTOR_CONTRAST_OPTIONS, 'positives', 'excluded'].filter((key) => key !== 'workspace'),
  );
  const [q, d] = [checkSide(query, 'query'), checkSide(document, 'document')];
  if (q.columns !== d.columns) {
    throw new GranuleError(
      'LENGTH_MISMATCH',
      `queries have ${q.columns} numbers when they are compared, and documents ${d.columns}`,
      { length: d.columns, expected: q.columns },
    );
  }
  const native = {
    ...checkVectorContrast(options, q.columns, q.rows, d.rows, options.positives === undefined ? q.rows : 1),
    ...checkInBatchPairs(options, q.rows, d.rows),
  };
  const signal = checkSignal(options.signal);
  const towers = [query.tower, document.tower].flatMap((tower) =>
    tower === undefined ? [] : [tower.native],
  );
  return NativeTower.adding(towers, () =>
    abortable(signal, (cancel) => loadAddon().inBatchContrastOfTowers(q.side, d.side, { ...native, cancel })),
  );
}

/** @returns the side, and how many rows and columns are compared */
function checkSide(side: ContrastSide, name: string) {
  checkKeys(side, ['vectors', 'tower']);
  const { vectors, tower } = side;
  if (tower !== undefined && !(tower instanceof Tower)) {
    throw new GranuleError('INVALID_ARGUMENT', `${name}.tower must be a Tower, got ${show(tower)}`);
  }
  const input = tower?.input ?? vectors?.columns;
  const inputs = checkTowerVectors(vectors, input, `${name}.vectors`);
  const frozen = { shape: undefined, parameters: undefined, gradients: undefined, inputs };
  return {
    side: tower?.native.side(inputs) ?? frozen,
    rows: inputs.length / input,
    columns: tower?.output ?? input,
  };
}
