import { GranuleError } from '../../errors.js';
import { checkWhole, withDefaults } from '../../evaluation/option-checks.js';
import { canonicalExp } from './canonical-exp.js';
import { canonicalLog } from './canonical-log.js';
import { k3 } from './k3.js';
import {
  type PlackettLuceOptions,
  plackettLuceLogProbability,
  plackettLuceSamples,
} from './plackett-luce.js';
import type { PlackettLuceEstimateOptions } from './plackett-luce-entropy.js';
import { type Estimate, estimateOf } from './sample-mean.js';
import { checkReference, relativeScores } from './scaled-scores.js';

/** A Kullback-Leibler divergence and its slope. */
export interface Divergence {
  /** KL(policy || reference) in nats, at least 0. */
  readonly divergence: number;
  /** Its derivative with respect to each score of the policy; the reference stays. */
  readonly gradient: Float64Array;
}

/** Options of {@link plackettLuceDivergence}. */
export interface PlackettLuceDivergenceOptions extends PlackettLuceOptions {
  /** m, how many places count; all candidates by default. */
  readonly places?: number;
}

/** Most candidates whose sets are gone through where more than one place counts: 2^16 sets. */
const MOST_CANDIDATES = 16;

/**
 * KL(policy || reference) of the first m places of two Plackett-Luce policies, exactly. What is left after some places depends on the
 * set S that was placed and not on its order, so that
 *
 *     D(S) = sum over i not in S of p_i ( ln p_i - ln q_i + D(S + i) ),   D(S) = 0 where S has m candidates,
 *
 * p and q being the softmaxes of s / t over the candidates that are left; KL = D(no candidate). The gradient is the sum over sets of
 * P(S) p_i (ln p_i - ln q_i + D(S + i) - D(S)) / t, P(S) being the policy's probability to place just S first. O(n) for m = 1, else
 * O(2^n n) for at most 16 candidates.
 *
 * @param scores - one per candidate
 * @param reference - the reference policy's scores, as many; its temperature is the same
 * @throws GranuleError `INVALID_ARGUMENT`, also for more than 16 candidates and more than one place; `LENGTH_MISMATCH`;
 *   `TEMPERATURE_INVALID`; `NOT_FINITE`
 */
export function plackettLuceDivergence(
  scores: ArrayLike<number>,
  reference: ArrayLike<number>,
  options: PlackettLuceDivergenceOptions = {},
): Divergence {
  const { temperature, places } = withDefaults<Required<PlackettLuceDivergenceOptions>>(
    options,
    { temperature: 1, places: scores.length },
    'plackettLuceDivergence',
  );
  checkReference(scores, reference);
  const present = relativeScores(scores, temperature);
  const fixed = relativeScores(reference, temperature);
  const candidates = present.length;
  checkWhole(places, 1, candidates, 'places');
  if (places > 1 && candidates > MOST_CANDIDATES) {
    throw new GranuleError(
      'INVALID_ARGUMENT',
      `${candidates} candidates are too many for an exact divergence of ${places} places: at most ${MOST_CANDIDATES}, or one place`,
      { candidates, places },
    );
  }
  const sets = places === 1 ? 1 : 2 ** candidates;
  const divergences = new Float64Array(sets);
  const share = new Float64Array(candidates);
  const excess = new Float64Array(candidates);
  // A set is a smaller number than those that hold it.
  for (let set = sets - 1; set >= 0; set--) {
    if (members(set) < places) divergences[set] = chooseFrom(set);
  }
  const reached = new Float64Array(sets);
  reached[0] = 1;
  const gradient = new Float64Array(candidates);
  for (let set = 0; set < sets; set++) {
    if (members(set) >= places || reached[set] === 0) continue;
    const divergence = chooseFrom(set);
    for (let i = 0; i < candidates; i++) {
      if (has(set, i)) continue;
      const weight = reached[set]! * share[i]!;
      gradient[i]! += (weight * (excess[i]! - divergence)) / temperature;
      if (places > 1) reached[set | (1 << i)]! += weight;
    }
  }
  return { divergence: Math.max(0, divergences[0]!), gradient };

  /** D of a set; fills in p_i and ln p_i - ln q_i + D(S + i) of those that are left. */
  function chooseFrom(set: number): number {
    const all = logSum(present, set);
    const allFixed = logSum(fixed, set);
    let sum = 0;
    for (let i = 0; i < candidates; i++) {
      if (has(set, i)) continue;
      share[i] = canonicalExp(present[i]! - all);
      excess[i] = present[i]! - all - (fixed[i]! - allFixed);
      if (places > 1) excess[i]! += divergences[set | (1 << i)]!;
      sum += share[i]! * excess[i]!;
    }
    return sum;
  }
}

/** ln of the sum of exp over the candidates that a set has not. */
function logSum(values: Float64Array, set: number): number {
  let greatest = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < values.length; i++) if (!has(set, i) && values[i]! > greatest) greatest = values[i]!;
  let sum = 0;
  for (let i = 0; i < values.length; i++) if (!has(set, i)) sum += canonicalExp(values[i]! - greatest);
  return greatest + canonicalLog(sum);
}

function has(set: number, candidate: number): boolean {
  return (set & (1 << candidate)) !== 0;
}

function members(set: number): number {
  let count = 0;
  for (let rest = set; rest !== 0; rest &= rest - 1) count += 1;
  return count;
}

/**
 * KL(policy || reference) of the first m places of two Plackett-Luce policies, estimated by rankings that are drawn from the policy:
 * the mean of q / p - ln(q / p) - 1 (the estimator k3: unbiased, no sample is negative), p and q being the probabilities of the
 * ranking under policy and reference. O(samples n log n).
 *
 * Source: the divergence term of "DeepSeekMath: Pushing the Limits of Mathematical Reasoning in Open Language Models" (2024).
 *
 * @param scores - one per candidate
 * @param reference - the reference policy's scores, as many; its temperature is the same
 * @throws GranuleError `INVALID_ARGUMENT`, `LENGTH_MISMATCH`, `TEMPERATURE_INVALID`; `NOT_FINITE`, also where a ratio q / p is too large
 */
export function plackettLuceDivergenceEstimate(
  scores: ArrayLike<number>,
  reference: ArrayLike<number>,
  options: PlackettLuceEstimateOptions = {},
): Estimate {
  const { temperature, places, samples, seed } = withDefaults<Required<PlackettLuceEstimateOptions>>(
    options,
    { temperature: 1, places: scores.length, samples: 1000, seed: 1 },
    'plackettLuceDivergenceEstimate',
  );
  checkReference(scores, reference);
  checkWhole(samples, 2, 1e9, 'samples');
  const rankings = plackettLuceSamples(scores, { temperature, places, count: samples, seed });
  return estimateOf(
    rankings.map((ranking) => {
      const present = plackettLuceLogProbability(scores, ranking, { temperature });
      const fixed = plackettLuceLogProbability(reference, ranking, { temperature });
      return k3(fixed.logProbability - present.logProbability).value;
    }),
  );
}
