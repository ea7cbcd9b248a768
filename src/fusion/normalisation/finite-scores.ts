import { GranuleError } from '../../errors.js';
import { checkKeys } from '../../index/arguments.js';
import type { RankedList } from '../../ranking/ranked-list.js';
import { inOrder } from './in-order.js';

/** Options of a normalisation that has none, but for its name in a pipeline. */
export interface NormalisationOptions {
  /** The name in `NORMALISATIONS` under which the normalisation was called; not read. */
  readonly method?: string | undefined;
}

/**
 * The list itself, once its scores are known to be finite: no mean, range or sum exists with an infinity among them.
 *
 * @throws GranuleError `NOT_FINITE` with `details.row`
 */
export function finiteScores(list: RankedList): RankedList {
  for (let place = 0; place < list.scores.length; place++) {
    if (!Number.isFinite(list.scores[place]!)) {
      const row = list.rows[place]!;
      throw new GranuleError(
        'NOT_FINITE',
        `the score of row ${row} is ${list.scores[place]}; only finite scores can be normalised or fused`,
        { row },
      );
    }
  }
  return list;
}

/**
 * Checks what a normalisation was given.
 *
 * @throws GranuleError `INVALID_ARGUMENT`, `NOT_FINITE`
 */
export function checkNormalisation(list: RankedList, options: object, known: readonly string[] = []): void {
  checkKeys(options, ['method', ...known]);
  finiteScores(list);
}

/**
 * The same rows with other scores, sorted again where need be: scores that differed may round to the same number, and then the
 * lower row comes first.
 */
export function rescored(list: RankedList, rescore: (score: number, place: number) => number): RankedList {
  return inOrder(list.rows.slice(), list.scores.map(rescore));
}
