import { GranuleError } from '../../errors.js';
import { SeededRandom } from '../../ranking/seeded-random.js';
import { checkShare, checkWhole, withDefaults } from '../option-checks.js';
import { checkedValues, meanOf, pairedDifferences } from './paired-values.js';

/** How an interval is drawn. */
export interface BootstrapOptions {
  /** The share of intervals that hold the true mean, between 0 and 1; default 0.95. */
  readonly confidence?: number;
  /** Default 10,000. */
  readonly resamples?: number;
  /** Of the generator; default 1. The same seed gives the same interval on every machine. */
  readonly seed?: number | string;
}

/** A mean and the interval that it is believed to lie in. */
export interface MeanInterval {
  readonly mean: number;
  readonly low: number;
  readonly high: number;
}

export const BOOTSTRAP_DEFAULTS = { confidence: 0.95, resamples: 10_000, seed: 1 } as const;

/**
 * Bootstrap percentile intervals of means over the same queries: queries are drawn with replacement, as many as there are, and each
 * column's mean is taken over them. With B resamples and k = floor((B + 1)(1 - confidence) / 2), the interval goes from the k-th
 * smallest mean to the k-th greatest. Every column sees the same resamples. O(columns B queries).
 *
 * Source: "An Introduction to the Bootstrap" (1993), section 12.5 and 13.3.
 *
 * @param columns - one value per query each, such as one run's or one measure's
 * @throws GranuleError `INVALID_ARGUMENT` where there is no value, for a confidence outside 0 to 1, and for fewer resamples than it needs (k = 0);
 *   `LENGTH_MISMATCH`; `NOT_FINITE`
 */
export function bootstrapIntervals(
  columns: readonly Float64Array[],
  options: BootstrapOptions = {},
): MeanInterval[] {
  const { confidence, resamples, seed } = withDefaults<Required<BootstrapOptions>>(
    options,
    BOOTSTRAP_DEFAULTS,
    'bootstrapIntervals',
  );
  checkShare(confidence, 'confidence');
  checkWhole(resamples, 1, 1e8, 'resamples');
  // 1 - 0.9 is a little less than 0.1.
  const k = Math.floor(((resamples + 1) * (1 - confidence)) / 2 + 1e-9);
  if (k < 1) {
    throw new GranuleError(
      'INVALID_ARGUMENT',
      `${resamples} resamples are too few for confidence ${confidence}`,
      {
        resamples,
        confidence,
      },
    );
  }
  const means = resampledMeans(columns, resamples, new SeededRandom(seed));
  return columns.map((column, i) => {
    const sorted = means[i]!.sort();
    return { mean: meanOf(column), low: sorted[k - 1]!, high: sorted[resamples - k]! };
  });
}

/**
 * The bootstrap interval of the mean of other - baseline, query by query: `bootstrapIntervals` of the differences.
 *
 * @throws GranuleError as `bootstrapIntervals`
 */
export function pairedBootstrapInterval(
  baseline: ArrayLike<number>,
  other: ArrayLike<number>,
  options: BootstrapOptions = {},
): MeanInterval {
  return bootstrapIntervals([pairedDifferences(baseline, other)], options)[0]!;
}

function resampledMeans(
  columns: readonly Float64Array[],
  resamples: number,
  random: SeededRandom,
): Float64Array[] {
  const queries = columns[0]?.length ?? 0;
  for (const column of columns) {
    if (column.length !== queries) {
      throw new GranuleError('LENGTH_MISMATCH', `columns have ${queries} and ${column.length} values`, {
        queries,
        column: column.length,
      });
    }
    checkedValues(column);
  }
  const means = columns.map(() => new Float64Array(resamples));
  const drawn = new Uint32Array(queries);
  for (let resample = 0; resample < resamples; resample++) {
    for (let i = 0; i < queries; i++) drawn[i] = random.integer(0, queries - 1);
    for (const [i, column] of columns.entries()) {
      let sum = 0;
      for (let place = 0; place < queries; place++) sum += column[drawn[place]!]!;
      means[i]![resample] = sum / queries;
    }
  }
  return means;
}
