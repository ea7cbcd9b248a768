import { checkWhole, withDefaults } from '../../evaluation/option-checks.js';
import { canonicalExp } from './canonical-exp.js';
import { logAdd, type PlackettLuceOptions, plackettLuceSamples } from './plackett-luce.js';
import { type Estimate, estimateOf } from './sample-mean.js';
import { relativeScores } from './scaled-scores.js';

/** An entropy and its slope. */
export interface Entropy {
  /** In nats. */
  readonly entropy: number;
  /** Its derivative with respect to each candidate's score. */
  readonly gradient: Float64Array;
}

/** How something is estimated from rankings that are drawn. */
export interface PlackettLuceEstimateOptions extends PlackettLuceOptions {
  /** m, how many places count; all candidates by default. */
  readonly places?: number;
  /** How many rankings are drawn, at least 2; default 1000. */
  readonly samples?: number;
  /** Default 1. */
  readonly seed?: number | string;
}

/**
 * The entropy of the first place under the Plackett-Luce policy, exactly: H = -sum_i p_i ln p_i with p = softmax(s / t); its gradient
 * is -p_i (ln p_i + H) / t. O(n).
 *
 * @param scores - one per candidate
 * @throws GranuleError `INVALID_ARGUMENT`, `TEMPERATURE_INVALID`, `NOT_FINITE`
 */
export function plackettLuceFirstEntropy(
  scores: ArrayLike<number>,
  options: PlackettLuceOptions = {},
): Entropy {
  const { temperature } = withDefaults(options, { temperature: 1 }, 'plackettLuceFirstEntropy');
  const scaled = relativeScores(scores, temperature);
  const all = scaled.reduce(logAdd, Number.NEGATIVE_INFINITY);
  const entropy = scaled.reduce((sum, score) => sum - canonicalExp(score - all) * (score - all), 0);
  const gradient = scaled.map((score) => {
    return (-canonicalExp(score - all) * (score - all + entropy)) / temperature;
  });
  return { entropy, gradient };
}

/**
 * The entropy of the first m places under the Plackett-Luce policy, estimated by rankings r that are drawn from it: the mean of the
 * sums over j < m of the entropy of place j given r_0 ... r_(j-1), which is exact. Unbiased; for m = 1 it has no error.
 * O(samples n log n).
 *
 * @param scores - one per candidate
 * @throws GranuleError `INVALID_ARGUMENT`, `TEMPERATURE_INVALID`, `NOT_FINITE`
 */
export function plackettLuceEntropy(
  scores: ArrayLike<number>,
  options: PlackettLuceEstimateOptions = {},
): Estimate {
  const { temperature, places, samples, seed } = withDefaults<Required<PlackettLuceEstimateOptions>>(
    options,
    { temperature: 1, places: scores.length, samples: 1000, seed: 1 },
    'plackettLuceEntropy',
  );
  checkWhole(samples, 2, 1e9, 'samples');
  checkWhole(places, 1, scores.length, 'places');
  const scaled = relativeScores(scores, temperature);
  const rankings = plackettLuceSamples(scaled, { count: samples, seed });
  return estimateOf(rankings.map((ranking) => entropyAlong(scaled, ranking, places)));
}

/** Sum of the entropies of the first places, each given those before it, from the last candidate to the first. */
function entropyAlong(scaled: Float64Array, ranking: Uint32Array, places: number): number {
  let left = Number.NEGATIVE_INFINITY;
  let entropy = 0;
  let sum = 0;
  for (let place = ranking.length - 1; place >= 0; place--) {
    const score = scaled[ranking[place]!]!;
    const all = logAdd(left, score);
    const others = canonicalExp(left - all);
    // A choice in two steps: this candidate or another, and which other.
    entropy =
      others * entropy + surprise(others, left - all) + surprise(canonicalExp(score - all), score - all);
    left = all;
    if (place < places) sum += entropy;
  }
  return sum;
}

/** -p ln p. */
function surprise(share: number, logShare: number): number {
  return share === 0 ? 0 : -share * logShare;
}
