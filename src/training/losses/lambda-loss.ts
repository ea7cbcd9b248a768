import { GranuleError } from '../../errors.js';
import { checkKeys, checkTemperature, show } from '../../index/arguments.js';
import { temperatureGradient } from './log-softmax.js';
import {
  checkAtLeast,
  checkChoice,
  checkFloats,
  type Floats,
  type TemperatureOption,
  type TemperedLoss,
} from './loss-arguments.js';
import { sigmoid, softplus } from './sigmoid.js';

/** Options of {@link lambdaLoss}. */
export interface LambdaLossOptions extends TemperatureOption {
  /** How pairs are weighted; `lambda-rank` by default. */
  readonly form?: 'lambda-rank' | 'ndcg-loss-2' | 'ndcg-loss-2++' | undefined;
  /** k of nDCG@k; the whole list by default. */
  readonly k?: number | undefined;
  /** G = 2^y - 1 (`exponential`, the default) or y (`linear`). */
  readonly gain?: 'exponential' | 'linear' | undefined;
  /** mu of `ndcg-loss-2++`: finite, at least 0; 10 by default, as published. */
  readonly mu?: number | undefined;
}

/**
 * LambdaLoss for nDCG@k: over the pairs with y_i > y_j, with d = (s_i - s_j) / t and ranks r by descending score (the lower
 * index first of equal scores),
 *
 *     L = -sum over pairs of w_ij log2 sigmoid(d)
 *     dL/ds_i += -w_ij sigmoid(-d) / (t ln 2), dL/ds_j -= the same
 *
 *     lambda-rank     w = |G_i - G_j| |D(r_i) - D(r_j)| / IDCG@k             how much nDCG@k changes where i and j change places
 *     ndcg-loss-2     w = |G_i - G_j| |D(|r_i - r_j|) - D(|r_i - r_j| + 1)| / IDCG@k, for pairs of which one has rank <= k
 *     ndcg-loss-2++   w = lambda-rank + mu ndcg-loss-2
 *
 * D(r) = 1 / log2(1 + r); in lambda-rank it is 0 beyond rank k, so that pairs beyond it do not count. Weights count as constants while the
 * gradient is taken, as published: L jumps where scores cross. Where no label has gain, loss and gradient are 0. O(n^2).
 *
 * Source: "The LambdaLoss Framework for Ranking Metric Optimization" (2018); lambda-rank's weights from "Learning to Rank with
 * Nonsmooth Cost Functions" (2006).
 *
 * @param labels - relevances of at least 0
 * @throws GranuleError `INVALID_ARGUMENT`, `LENGTH_MISMATCH`, `NOT_FINITE`, `TEMPERATURE_INVALID`; `TARGET_INVALID` for a label below 0
 */
export function lambdaLoss(scores: Floats, labels: Floats, options: LambdaLossOptions = {}): TemperedLoss {
  checkKeys(options, ['temperature', 'form', 'k', 'gain', 'mu']);
  const s = checkFloats(scores, 'scores');
  const y = checkFloats(labels, 'labels', s.length);
  const temperature = checkTemperature(options.temperature ?? 1);
  const weight = pairWeight(s, gains(y, options), options);
  const gradient = new Float64Array(s.length);
  let loss = 0;
  for (let i = 0; i < s.length; i++) {
    for (let j = 0; j < s.length; j++) {
      if (!(y[i]! > y[j]!)) continue;
      const w = weight(i, j) / Math.LN2;
      const d = (s[i]! - s[j]!) / temperature;
      loss += w * softplus(-d);
      gradient[i]! -= (w * sigmoid(-d)) / temperature;
      gradient[j]! += (w * sigmoid(-d)) / temperature;
    }
  }
  return { loss, gradient, temperatureGradient: temperatureGradient(s, gradient, temperature) };
}

function pairWeight(
  scores: Float64Array,
  gain: Float64Array,
  options: LambdaLossOptions,
): (i: number, j: number) => number {
  const forms = ['lambda-rank', 'ndcg-loss-2', 'ndcg-loss-2++'] as const;
  const form = checkChoice(options.form ?? 'lambda-rank', forms, 'form');
  const mu = checkAtLeast(options.mu ?? 10, 0, 'mu');
  const k = options.k ?? scores.length;
  if (!Number.isSafeInteger(k) || k < 1) {
    throw new GranuleError('INVALID_ARGUMENT', `k must be a whole number above 0, got ${show(k)}`);
  }
  const ranks = ranksOf(scores);
  const best = gain.toSorted((a, b) => b - a).subarray(0, k);
  const ideal = best.reduce((sum, g, i) => sum + g * discount(i + 1), 0);
  const share = form === 'ndcg-loss-2' ? 0 : 1;
  const factor = { 'lambda-rank': 0, 'ndcg-loss-2': 1, 'ndcg-loss-2++': mu }[form];
  const within = (rank: number) => (rank <= k ? discount(rank) : 0);
  return (i, j) => {
    if (ideal === 0 || Math.min(ranks[i]!, ranks[j]!) > k) return 0;
    const apart = Math.abs(ranks[i]! - ranks[j]!);
    const swap = Math.abs(within(ranks[i]!) - within(ranks[j]!));
    const step = discount(apart) - discount(apart + 1);
    return (Math.abs(gain[i]! - gain[j]!) * (share * swap + factor * step)) / ideal;
  };
}

function discount(rank: number): number {
  return 1 / Math.log2(1 + rank);
}

/** Ranks from 1 on, by descending score, the lower index first. */
function ranksOf(scores: Float64Array): Int32Array {
  const order = Array.from(scores, (_, i) => i).sort((a, b) => scores[b]! - scores[a]! || a - b);
  const ranks = new Int32Array(scores.length);
  for (const [place, i] of order.entries()) ranks[i] = place + 1;
  return ranks;
}

function gains(labels: Float64Array, options: LambdaLossOptions): Float64Array {
  const gain = checkChoice(options.gain ?? 'exponential', ['exponential', 'linear'], 'gain');
  const below = labels.findIndex((label) => label < 0);
  if (below !== -1) {
    throw new GranuleError('TARGET_INVALID', `label ${labels[below]} at ${below} is below 0`, {
      position: below,
    });
  }
  const worth = gain === 'linear' ? labels : labels.map((label) => 2 ** label - 1);
  return checkFloats(worth, 'gains');
}
