import { checkAtLeast, checkLength, type ListLoss } from './loss-arguments.js';

/** A loss of a list, and its part of a mix. */
export interface WeightedLoss {
  readonly loss: ListLoss;
  /** Finite, at least 0. */
  readonly weight: number;
}

/**
 * L = sum_m w_m L_m over the same scores, and its gradient. Weights are taken as they are: they need not add up to 1. O(n) per loss.
 *
 * The mixes of "DeAR: Dual-Stage Document Reranking with Reasoning Agents via LLM Distillation" (2025): (1 - alpha) of a loss from labels
 * and alpha of `distillation`; 0.5 `rankNet` and 0.5 `softmaxCrossEntropy`.
 *
 * @throws GranuleError `INVALID_ARGUMENT`; `LENGTH_MISMATCH` for no loss, or gradients of different lengths
 */
export function mixLosses(parts: readonly WeightedLoss[]): ListLoss {
  checkLength(parts.length, 'parts');
  const gradient = new Float64Array(parts[0]!.loss.gradient.length);
  let sum = 0;
  for (const { loss, weight } of parts) {
    checkAtLeast(weight, 0, 'weight');
    checkLength(loss.gradient.length, 'a gradient', gradient.length);
    sum += weight * loss.loss;
    for (let i = 0; i < gradient.length; i++) gradient[i]! += weight * loss.gradient[i]!;
  }
  return { loss: sum, gradient };
}
