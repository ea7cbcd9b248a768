import { GranuleError } from '../../errors.js';

/**
 * other - baseline, query by query.
 *
 * @throws GranuleError `LENGTH_MISMATCH`; `INVALID_ARGUMENT` where there is no value; `NOT_FINITE`
 */
export function pairedDifferences(baseline: ArrayLike<number>, other: ArrayLike<number>): Float64Array {
  if (baseline.length !== other.length) {
    throw new GranuleError(
      'LENGTH_MISMATCH',
      `${baseline.length} values cannot be paired with ${other.length}`,
      { baseline: baseline.length, other: other.length },
    );
  }
  return checkedValues(Float64Array.from(baseline, (value, i) => other[i]! - value));
}

/** @throws GranuleError `INVALID_ARGUMENT` where there is no value; `NOT_FINITE` */
export function checkedValues(values: Float64Array): Float64Array {
  if (values.length === 0) throw new GranuleError('INVALID_ARGUMENT', 'there is no query to compare');
  const place = values.findIndex((value) => !Number.isFinite(value));
  if (place !== -1) {
    throw new GranuleError('NOT_FINITE', `the value of place ${place} is not a finite number`, { place });
  }
  return values;
}

export function meanOf(values: Float64Array): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
