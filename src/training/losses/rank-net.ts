import { checkKeys, checkTemperature } from '../../index/arguments.js';
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

/** Options of {@link rankNet}. */
export interface RankNetOptions extends TemperatureOption {
  /** `hard`, the default: P = 1. `soft`: P = sigmoid(y_i - y_j), for labels that are a teacher's scores. */
  readonly targets?: 'hard' | 'soft' | undefined;
  /** Only pairs whose labels differ by more than this count; 0 by default. */
  readonly margin?: number | undefined;
}

/** What {@link rankNet} gives. */
export interface RankNetLoss extends TemperedLoss {
  /** Pairs that counted. */
  readonly pairs: number;
}

/**
 * RankNet: over the pairs with y_i - y_j > margin, with d = (s_i - s_j) / t,
 *
 *     L = mean over pairs of -( P ln sigmoid(d) + (1 - P) ln sigmoid(-d) ) = mean of softplus(d) - P d
 *     dL/ds_i += (sigmoid(d) - P) / (pairs t), dL/ds_j -= the same
 *
 * Each pair once, the better document first; with soft targets the order within a pair does not matter. Where no pair counts, loss and
 * gradient are 0. O(n^2).
 *
 * Sources: "Learning to Rank using Gradient Descent" (2005); soft targets as in "DeAR: Dual-Stage Document Reranking with Reasoning
 * Agents via LLM Distillation" (2025); the margin as in "REAR: A Relevance-Aware Retrieval-Augmented Framework for Open-Domain
 * Question Answering" (2024), 0.1 there.
 *
 * @throws GranuleError `INVALID_ARGUMENT`, `LENGTH_MISMATCH`, `NOT_FINITE`, `TEMPERATURE_INVALID`
 */
export function rankNet(scores: Floats, labels: Floats, options: RankNetOptions = {}): RankNetLoss {
  checkKeys(options, ['temperature', 'targets', 'margin']);
  const s = checkFloats(scores, 'scores');
  const y = checkFloats(labels, 'labels', s.length);
  const temperature = checkTemperature(options.temperature ?? 1);
  const targets = checkChoice(options.targets ?? 'hard', ['hard', 'soft'], 'targets');
  const margin = checkAtLeast(options.margin ?? 0, 0, 'margin');
  const gradient = new Float64Array(s.length);
  let [sum, pairs] = [0, 0];
  for (let i = 0; i < s.length; i++) {
    for (let j = 0; j < s.length; j++) {
      if (!(y[i]! - y[j]! > margin)) continue;
      const target = targets === 'hard' ? 1 : sigmoid(y[i]! - y[j]!);
      const d = (s[i]! - s[j]!) / temperature;
      // softplus(d) - P d, without the difference of two large numbers.
      sum += target * softplus(-d) + (1 - target) * softplus(d);
      const pull = -target * sigmoid(-d) + (1 - target) * sigmoid(d);
      gradient[i]! += pull;
      gradient[j]! -= pull;
      pairs += 1;
    }
  }
  const scale = pairs === 0 ? 0 : 1 / (pairs * temperature);
  const mean = gradient.map((g) => g * scale);
  return {
    loss: pairs === 0 ? 0 : sum / pairs,
    gradient: mean,
    pairs,
    temperatureGradient: temperatureGradient(s, mean, temperature),
  };
}
