import { checkKeys } from '../../index/arguments.js';
import type { Matrix } from '../../vectors/matrix.js';
import { greatest } from './max-sim.js';
import { type QueryWeightOptions, weightedMean } from './query-reduction.js';

/**
 * Sparse patch groups: per word i the similarities are brought to [0, 1] by their least and greatest, those below 1 / n_d
 * become 0, and the rest are divided by their sum: a_ij. Then with the group's vector c_i = sum over j of a_ij x_j
 *
 *     score = mean over i of <q_i, c_i> = mean over i of sum over j of a_ij s_ij
 *
 * Where all similarities of a word are equal its group is all patches alike. O(n_q n_d). Improving fine-grained understanding in
 * image-text pre-training (2024).
 *
 * @param tile - n_q x n_d similarities; `similarityTile` makes it
 * @returns -Infinity where n_d is 0
 * @throws GranuleError `INVALID_ARGUMENT`, `LENGTH_MISMATCH`
 */
export function sparc(tile: Matrix, options: QueryWeightOptions = {}): number {
  checkKeys(options, ['weights']);
  return weightedMean(tile, options.weights, (similarities) => {
    const most = greatest(similarities);
    const least = similarities.reduce((a, b) => Math.min(a, b));
    let [total, score] = [0, 0];
    for (const similarity of similarities) {
      const share = most === least ? 1 : (similarity - least) / (most - least);
      if (share < 1 / similarities.length) continue;
      total += share;
      score += share * similarity;
    }
    return score / total;
  });
}
