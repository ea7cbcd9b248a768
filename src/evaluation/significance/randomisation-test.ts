import { SeededRandom } from '../../ranking/seeded-random.js';
import { checkWhole, withDefaults } from '../option-checks.js';
import { meanOf, pairedDifferences } from './paired-values.js';

/** How many assignments of signs are looked at where there are too many for all. */
export interface RandomisationOptions {
  /** Default 100,000. */
  readonly permutations?: number;
  /** Of the generator; default 1. The same seed gives the same p-value on every machine. */
  readonly seed?: number | string;
}

/** What a randomisation test found. */
export interface RandomisationResult {
  /** Mean of other - baseline. */
  readonly difference: number;
  /** Two-sided. */
  readonly pValue: number;
  /** Whether every assignment of signs was looked at. */
  readonly isExact: boolean;
  /** How many were. */
  readonly permutations: number;
}

/** With so many queries that differ, all 2^20 assignments of signs are looked at. */
const EXACT_UP_TO = 20;

export const RANDOMISATION_DEFAULTS = { permutations: 100_000, seed: 1 } as const;

/**
 * Fisher's paired randomisation test of two runs' values per query, two-sided.
 *
 * If the runs were alike, each query's values could as well stand the other way round: p is the share of the 2^n assignments of signs
 * to the differences d_i whose |sum of +-d_i| is at least |sum of d_i|. Differences of 0 change nothing and are left out. Up to 20 others,
 * all assignments are looked at, and p is exact; beyond, `permutations` random ones, and p = (1 + those at least as great) / (1 + all),
 * so it is never 0. Sums that differ by no more than rounding count as equal. O(2^n) or O(n permutations).
 *
 * Sources: "A Comparison of Statistical Significance Tests for Information Retrieval Evaluation" (2007); "Permutation P-values Should
 * Never Be Zero: Calculating Exact P-values When Permutations Are Randomly Drawn" (2010).
 *
 * @throws GranuleError `LENGTH_MISMATCH`; `INVALID_ARGUMENT` where there is no query, and for permutations outside 1 to 10^9; `NOT_FINITE`
 */
export function randomisationTest(
  baseline: ArrayLike<number>,
  other: ArrayLike<number>,
  options: RandomisationOptions = {},
): RandomisationResult {
  const { permutations, seed } = withDefaults<Required<RandomisationOptions>>(
    options,
    RANDOMISATION_DEFAULTS,
    'randomisationTest',
  );
  checkWhole(permutations, 1, 1e9, 'permutations');
  const all = pairedDifferences(baseline, other);
  const difference = meanOf(all);
  const differing = all.filter((value) => value !== 0);
  const size = differing.reduce((sum, value) => sum + Math.abs(value), 0);
  const observed = Math.abs(differing.reduce((sum, value) => sum + value, 0));
  const threshold = observed - differing.length * Number.EPSILON * size;
  if (differing.length <= EXACT_UP_TO) {
    const assignments = 2 ** differing.length;
    const extreme = extremeAssignments(differing, threshold);
    return { difference, pValue: extreme / assignments, isExact: true, permutations: assignments };
  }
  const extreme = extremeDraws(differing, threshold, permutations, new SeededRandom(seed));
  return { difference, pValue: (1 + extreme) / (1 + permutations), isExact: false, permutations };
}

/** How many of all assignments of signs reach the threshold. */
function extremeAssignments(differences: Float64Array, threshold: number, place = 0, sum = 0): number {
  if (place === differences.length) return Math.abs(sum) >= threshold ? 1 : 0;
  const value = differences[place]!;
  return (
    extremeAssignments(differences, threshold, place + 1, sum + value) +
    extremeAssignments(differences, threshold, place + 1, sum - value)
  );
}

/** How many of the drawn assignments reach it: eight signs at a time choose one of a group's 256 sums. */
function extremeDraws(
  differences: Float64Array,
  threshold: number,
  permutations: number,
  random: SeededRandom,
): number {
  const groups = Math.ceil(differences.length / 8);
  const sums = groupSums(differences, groups);
  let extreme = 0;
  for (let draw = 0; draw < permutations; draw++) {
    let sum = 0;
    let bits = 0;
    for (let group = 0; group < groups; group++) {
      if ((group & 3) === 0) bits = random.uint32();
      sum += sums[(group << 8) | (bits & 255)]!;
      bits >>>= 8;
    }
    if (Math.abs(sum) >= threshold) extreme += 1;
  }
  return extreme;
}

/** For each eight differences, their sum under each of 256 assignments of signs. */
function groupSums(differences: Float64Array, groups: number): Float64Array {
  return Float64Array.from({ length: groups << 8 }, (_, entry) => {
    const first = (entry >> 8) << 3;
    let sum = 0;
    for (let i = first; i < Math.min(first + 8, differences.length); i++) {
      sum += (entry >> (i - first)) & 1 ? differences[i]! : -differences[i]!;
    }
    return sum;
  });
}
