import { groupGradient, patchGroup } from './sparc-groups.js';
import { type PairScore, scoreOfPair, type VectorSet } from './vector-sets.js';

/**
 * Sparse patch groups: each word is compared with the patches of its group (`patchGroup`), c_i = sum_j w_ij v_j:
 *
 *     score = mean over i of <u_i, c_i> = mean over i of sum_j w_ij s_ij
 *
 * The gradient passes through the weights, also to the least similarity; which patches belong to the group counts as constant.
 * O(words x patches x columns).
 *
 * Source: "Improving fine-grained understanding in image-text pre-training" (2024).
 *
 * @throws GranuleError `INVALID_ARGUMENT`, `DIMENSION_INVALID`, `LENGTH_MISMATCH`, `NOT_FINITE`
 */
export function sparcScore(words: VectorSet, patches: VectorSet): PairScore {
  return scoreOfPair(words, patches, (tile, columns) => {
    const gradient = new Float64Array(tile.length);
    const rows = tile.length / columns;
    let score = 0;
    for (let from = 0; from < tile.length; from += columns) {
      const row = tile.subarray(from, from + columns);
      const group = patchGroup(row);
      const throughWeights = groupGradient(group, row);
      for (const [j, weight] of group.weights.entries()) {
        score += (weight * row[j]!) / rows;
        gradient[from + j] = (weight + throughWeights[j]!) / rows;
      }
    }
    return { score, gradient };
  });
}
