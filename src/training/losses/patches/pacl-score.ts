import { checkKeys, checkTemperature } from '../../../index/arguments.js';
import { softmaxWithLogs } from '../log-softmax.js';
import type { TemperatureOption } from '../loss-arguments.js';
import { type PairScore, scoreOfPair, type TileScore, type VectorSet } from './vector-sets.js';

/**
 * Patch-aligned pooling: with a_ij = softmax over patches j of <u_i, v_j> / t, the word (published: the one vector of the whole text)
 * is compared with the patches so weighted, v_i = sum_j a_ij v_j:
 *
 *     score = mean over i of <u_i, v_i> = mean over i of e_i,    e_i = sum_j a_ij s_ij
 *     dscore/ds_ij = a_ij (1 + (s_ij - e_i) / t) / n,            dscore/dt = -mean over i of (sum_j a_ij (s_ij - e_i)^2) / t^2
 *
 * The gradient passes through the weights too. O(words x patches x columns).
 *
 * Source: "Open Vocabulary Semantic Segmentation with Patch Aligned Contrastive Learning" (2022).
 *
 * @throws GranuleError `INVALID_ARGUMENT`, `DIMENSION_INVALID`, `LENGTH_MISMATCH`, `NOT_FINITE`, `TEMPERATURE_INVALID`
 */
export function paclScore(words: VectorSet, patches: VectorSet, options: TemperatureOption = {}): PairScore {
  checkKeys(options, ['temperature']);
  const temperature = checkTemperature(options.temperature ?? 1);
  return scoreOfPair(words, patches, (tile, columns) => attended(tile, columns, temperature));
}

function attended(tile: Float64Array, columns: number, temperature: number): TileScore {
  const gradient = new Float64Array(tile.length);
  const rows = tile.length / columns;
  let [score, temperatureGradient] = [0, 0];
  for (let from = 0; from < tile.length; from += columns) {
    const row = tile.subarray(from, from + columns);
    const attention = softmaxWithLogs(row, temperature).probabilities;
    const expected = attention.reduce((sum, a, j) => sum + a * row[j]!, 0);
    score += expected / rows;
    for (const [j, a] of attention.entries()) {
      const away = row[j]! - expected;
      gradient[from + j] = (a * (1 + away / temperature)) / rows;
      temperatureGradient -= (a * away * away) / (rows * temperature * temperature);
    }
  }
  return { score, gradient, temperatureGradient };
}
