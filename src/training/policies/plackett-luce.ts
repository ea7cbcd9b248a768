import { GranuleError } from '../../errors.js';
import { checkWhole, withDefaults } from '../../evaluation/option-checks.js';
import { SeededRandom } from '../../ranking/seeded-random.js';
import { canonicalExp } from './canonical-exp.js';
import { canonicalLog } from './canonical-log.js';
import { softplus } from './logistic.js';
import { relativeScores } from './scaled-scores.js';

/** A log-probability and its slope. */
export interface LogProbability {
  /** Natural logarithm. */
  readonly logProbability: number;
  /** Its derivative with respect to each candidate's score. */
  readonly gradient: Float64Array;
}

/** Options of {@link plackettLuceLogProbability}. */
export interface PlackettLuceOptions {
  /** t in s / t; default 1. */
  readonly temperature?: number;
}

/** Options of {@link plackettLuceSamples}. */
export interface PlackettLuceSampleOptions extends PlackettLuceOptions {
  /** How many rankings; default 1. */
  readonly count?: number;
  /** m, how many places each has; all candidates by default. */
  readonly places?: number;
  /** Default 1. */
  readonly seed?: number | string;
}

/**
 * The log-probability of a ranking under the Plackett-Luce policy: places are filled from the first to the last, each by one of
 * the candidates that are left, with probability proportional to exp(s / t):
 *
 *     ln p(r) = sum over j < m of [ s_rj / t - ln sum over i not in r_0 ... r_(j-1) of exp(s_i / t) ]
 *
 * A ranking of m places out of n stands for all that begin with it. The gradient of candidate i at place r (m where it has none)
 * is 1/t ( [r < m] - sum over j <= min(r, m - 1) of p_j(i) ), p_j(i) being its probability of taking place j. Both stay finite and
 * accurate where a choice is all but certain. O(n + m).
 *
 * Sources: "Individual Choice Behavior" (1959), "The Analysis of Permutations" (1975).
 *
 * @param scores - one per candidate
 * @param ranking - distinct candidates, best first: 1 to all of them
 * @throws GranuleError `INVALID_ARGUMENT` for a ranking that is none; `TEMPERATURE_INVALID`; `NOT_FINITE`
 */
export function plackettLuceLogProbability(
  scores: ArrayLike<number>,
  ranking: ArrayLike<number>,
  options: PlackettLuceOptions = {},
): LogProbability {
  const { temperature } = withDefaults(options, { temperature: 1 }, 'plackettLuceLogProbability');
  const scaled = relativeScores(scores, temperature);
  const placed = checkedRanking(ranking, scaled.length);
  const places = ranking.length;
  // ln of the sum over the candidates that are left when a place is filled, and over those that are left after it.
  const before = new Float64Array(places);
  const after = new Float64Array(places);
  let left = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < scaled.length; i++) if (placed[i] === 0) left = logAdd(left, scaled[i]!);
  let logProbability = 0;
  for (let place = places - 1; place >= 0; place--) {
    const score = scaled[ranking[place]!]!;
    const others = softplus(left - score);
    logProbability -= others;
    after[place] = left;
    left = score + others;
    before[place] = left;
  }
  const gradient = new Float64Array(scaled.length);
  // ln of the sum of 1 / (sum over the candidates that are left) over the places so far.
  let shares = Number.NEGATIVE_INFINITY;
  for (let place = 0; place < places; place++) {
    const candidate = ranking[place]!;
    const another = canonicalExp(after[place]! - before[place]!);
    gradient[candidate] = (another - canonicalExp(scaled[candidate]! + shares)) / temperature;
    shares = logAdd(shares, -before[place]!);
  }
  for (let i = 0; i < scaled.length; i++) {
    if (placed[i] === 0) gradient[i] = -canonicalExp(scaled[i]! + shares) / temperature;
  }
  return { logProbability, gradient };
}

/**
 * Rankings drawn from the Plackett-Luce policy, each a list of m distinct candidates: those of the m greatest s_i / t - ln(-ln u_i),
 * u_i uniform between 0 and 1; of equal ones the first. A seed gives the same rankings on every machine: u_i is (2 x + 1) / 2^53 for a
 * whole number x of 52 bits, and the logarithms are `canonicalLog`. O(n log n) each.
 *
 * Source: "Stochastic Beams and Where to Find Them: The Gumbel-Top-k Trick for Sampling Sequences Without Replacement" (2019).
 *
 * @param scores - one per candidate
 * @throws GranuleError `INVALID_ARGUMENT`, `TEMPERATURE_INVALID`, `NOT_FINITE`
 */
export function plackettLuceSamples(
  scores: ArrayLike<number>,
  options: PlackettLuceSampleOptions = {},
): Uint32Array[] {
  const { temperature, count, places, seed } = withDefaults<Required<PlackettLuceSampleOptions>>(
    options,
    { temperature: 1, count: 1, places: scores.length, seed: 1 },
    'plackettLuceSamples',
  );
  const scaled = relativeScores(scores, temperature);
  checkWhole(count, 1, 1e9, 'count');
  checkWhole(places, 1, scaled.length, 'places');
  const random = new SeededRandom(seed);
  const keys = new Float64Array(scaled.length);
  return Array.from({ length: count }, () => {
    for (let i = 0; i < keys.length; i++) keys[i] = scaled[i]! - canonicalLog(-canonicalLog(uniform(random)));
    const order = Uint32Array.from(keys, (_, i) => i);
    order.sort((a, b) => keys[b]! - keys[a]! || a - b);
    return order.slice(0, places);
  });
}

/** A number between 0 and 1, neither of them: the middle of one of 2^52 equal parts. */
export function uniform(random: SeededRandom): number {
  const high = random.uint32() >>> 6;
  const low = random.uint32() >>> 6;
  return ((high * 67108864 + low) * 2 + 1) / 9007199254740992;
}

/** ln(exp(a) + exp(b)); -Infinity is the logarithm of 0. */
export function logAdd(a: number, b: number): number {
  return a > b ? a + softplus(b - a) : b + softplus(a - b);
}

/** Per candidate 1 where the ranking has it, else 0. */
function checkedRanking(ranking: ArrayLike<number>, candidates: number): Uint8Array {
  const placed = new Uint8Array(candidates);
  for (let place = 0; place < ranking.length; place++) {
    const candidate = ranking[place]!;
    // Neither a fraction, a negative number nor one too large is an index.
    if (placed[candidate] !== 0) {
      const reason = placed[candidate] === 1 ? 'twice' : `, but there are ${candidates}`;
      throw new GranuleError('INVALID_ARGUMENT', `the ranking has candidate ${candidate}${reason}`, {
        place,
      });
    }
    placed[candidate] = 1;
  }
  if (ranking.length === 0) throw new GranuleError('INVALID_ARGUMENT', 'the ranking is empty');
  return placed;
}
