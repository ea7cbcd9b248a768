import { checkKeys } from '../../index/arguments.js';
import type { Matrix } from '../../vectors/matrix.js';
import { checkWhole } from '../option-checks.js';
import { type QueryWeightOptions, weightedSum } from './query-reduction.js';

/** Options of `topMeanSim`. */
export interface TopMeanSimOptions extends QueryWeightOptions {
  /** So many of the greatest similarities of a query vector are averaged, 3 by default; 1 gives MaxSim. */
  readonly most?: number | undefined;
}

/**
 * MaxSim with the mean of the m greatest similarities in place of the greatest, or of all where there are fewer: one stray patch
 * does not decide. O(n_q n_d m).
 *
 * @param tile - n_q x n_d similarities; `similarityTile` makes it
 * @returns -Infinity where n_d is 0
 * @throws GranuleError `INVALID_ARGUMENT`, `LENGTH_MISMATCH`
 */
export function topMeanSim(tile: Matrix, options: TopMeanSimOptions = {}): number {
  checkKeys(options, ['weights', 'most']);
  const most = checkWhole(options.most ?? 3, 1, 'most');
  const best = new Float64Array(Math.min(most, tile.columns));
  return weightedSum(tile, options.weights, (similarities) => {
    best.fill(Number.NEGATIVE_INFINITY);
    for (const similarity of similarities) {
      // From the least upwards, so that the list stays in decreasing order.
      for (let place = best.length - 1, moved = similarity; place >= 0 && moved > best[place]!; place--) {
        if (place + 1 < best.length) best[place + 1] = best[place]!;
        best[place] = moved;
      }
    }
    return best.reduce((sum, value) => sum + value, 0) / best.length;
  });
}
