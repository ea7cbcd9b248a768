import { GranuleError } from '../../errors.js';
import { checkWhole, withDefaults } from '../../evaluation/option-checks.js';
import { SeededRandom } from '../../ranking/seeded-random.js';
import { sigmoid, softplus } from './logistic.js';
import { type LogProbability, uniform } from './plackett-luce.js';
import type { Divergence } from './plackett-luce-divergence.js';
import type { Entropy } from './plackett-luce-entropy.js';
import { checkReference, scaledScores } from './scaled-scores.js';

/** Options of the Bernoulli policy. */
export interface BernoulliOptions {
  /** t in s / t; default 1. */
  readonly temperature?: number;
}

/** Options of {@link bernoulliSamples}. */
export interface BernoulliSampleOptions extends BernoulliOptions {
  /** How many decisions about all candidates; default 1. */
  readonly count?: number;
  /** Default 1. */
  readonly seed?: number | string;
}

/**
 * The log-probability of keeping some candidates and dropping the others under the Bernoulli policy, which decides about each by
 * itself: p_i = 1 / (1 + exp(-s_i / t)) is the probability to keep candidate i,
 *
 *     ln p(kept) = sum over kept of ln p_i + sum over dropped of ln(1 - p_i);
 *
 * its gradient is ([i kept] - p_i) / t. O(n).
 *
 * @param scores - one per candidate
 * @param kept - whether each is kept, as many
 * @throws GranuleError `INVALID_ARGUMENT`, `LENGTH_MISMATCH`, `TEMPERATURE_INVALID`, `NOT_FINITE`
 */
export function bernoulliLogProbability(
  scores: ArrayLike<number>,
  kept: ArrayLike<boolean>,
  options: BernoulliOptions = {},
): LogProbability {
  const { temperature } = withDefaults(options, { temperature: 1 }, 'bernoulliLogProbability');
  const scaled = scaledScores(scores, temperature);
  if (kept.length !== scaled.length) {
    throw new GranuleError(
      'LENGTH_MISMATCH',
      `${kept.length} decisions are about ${scaled.length} candidates`,
      { decisions: kept.length, candidates: scaled.length },
    );
  }
  let logProbability = 0;
  const gradient = scaled.map((score, i) => {
    logProbability -= softplus(kept[i] ? -score : score);
    return (kept[i] ? sigmoid(-score) : -sigmoid(score)) / temperature;
  });
  return { logProbability, gradient };
}

/**
 * Decisions drawn from the Bernoulli policy: candidate i is kept where u_i < p_i, u_i uniform between 0 and 1 as in `plackettLuceSamples`.
 * A seed gives the same decisions on every machine. O(n) each.
 *
 * @param scores - one per candidate
 * @throws GranuleError `INVALID_ARGUMENT`, `TEMPERATURE_INVALID`, `NOT_FINITE`
 */
export function bernoulliSamples(
  scores: ArrayLike<number>,
  options: BernoulliSampleOptions = {},
): boolean[][] {
  const { temperature, count, seed } = withDefaults<Required<BernoulliSampleOptions>>(
    options,
    { temperature: 1, count: 1, seed: 1 },
    'bernoulliSamples',
  );
  const shares = scaledScores(scores, temperature).map(sigmoid);
  checkWhole(count, 1, 1e9, 'count');
  const random = new SeededRandom(seed);
  return Array.from({ length: count }, () => Array.from(shares, (share) => uniform(random) < share));
}

/**
 * KL(policy || reference) of two Bernoulli policies, exactly: the sum over candidates of p ln(p / q) + (1 - p) ln((1 - p) / (1 - q)); its
 * gradient is p (1 - p) (s - s') / t^2, s' being the reference's score. O(n).
 *
 * @param scores - one per candidate
 * @param reference - the reference policy's scores, as many; its temperature is the same
 * @throws GranuleError `INVALID_ARGUMENT`, `LENGTH_MISMATCH`, `TEMPERATURE_INVALID`, `NOT_FINITE`
 */
export function bernoulliDivergence(
  scores: ArrayLike<number>,
  reference: ArrayLike<number>,
  options: BernoulliOptions = {},
): Divergence {
  const { temperature } = withDefaults(options, { temperature: 1 }, 'bernoulliDivergence');
  checkReference(scores, reference);
  const present = scaledScores(scores, temperature);
  const fixed = scaledScores(reference, temperature);
  let divergence = 0;
  const gradient = present.map((score, i) => {
    const keep = sigmoid(score);
    const drop = sigmoid(-score);
    divergence += keep * (softplus(-fixed[i]!) - softplus(-score));
    divergence += drop * (softplus(fixed[i]!) - softplus(score));
    return (keep * drop * (score - fixed[i]!)) / temperature;
  });
  return { divergence: Math.max(0, divergence), gradient };
}

/**
 * The entropy of a Bernoulli policy, exactly: the sum over candidates of -p ln p - (1 - p) ln(1 - p); its gradient is -p (1 - p) s / t^2.
 * O(n).
 *
 * @param scores - one per candidate
 * @throws GranuleError `INVALID_ARGUMENT`, `TEMPERATURE_INVALID`, `NOT_FINITE`
 */
export function bernoulliEntropy(scores: ArrayLike<number>, options: BernoulliOptions = {}): Entropy {
  const { temperature } = withDefaults(options, { temperature: 1 }, 'bernoulliEntropy');
  let entropy = 0;
  const gradient = scaledScores(scores, temperature).map((score) => {
    const keep = sigmoid(score);
    const drop = sigmoid(-score);
    entropy += keep * softplus(-score) + drop * softplus(score);
    return (-keep * drop * score) / temperature;
  });
  return { entropy, gradient };
}
