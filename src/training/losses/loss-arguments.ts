import { types } from 'node:util';
import { GranuleError } from '../../errors.js';
import { show } from '../../index/arguments.js';

/** Numbers that a loss reads. All arithmetic is in float64, whichever they are. */
export type Floats = Float32Array | Float64Array;

/** The loss of one list of candidates, and how it changes with their scores. */
export interface ListLoss {
  readonly loss: number;
  /** dL/ds, one number per candidate; an array of its own. */
  readonly gradient: Float64Array;
}

/** A loss that divides scores by a temperature. */
export interface TemperedLoss extends ListLoss {
  /** dL/dt. For a learned ln t it is t times this. */
  readonly temperatureGradient: number;
}

/** Option of a loss that divides scores by a temperature. */
export interface TemperatureOption {
  /** t: finite, above 0; 1 by default. Inner products of unit vectors need about 0.01 to 0.1. */
  readonly temperature?: number | undefined;
}

/**
 * @returns the values in float64; `values` themselves where they are
 * @throws GranuleError `INVALID_ARGUMENT` for another type; `LENGTH_MISMATCH` for none, or not `length` numbers; `NOT_FINITE`
 */
export function checkFloats(values: Floats, name: string, length?: number): Float64Array {
  if (!types.isFloat64Array(values) && !types.isFloat32Array(values)) {
    throw new GranuleError(
      'INVALID_ARGUMENT',
      `${name} must be a Float64Array or a Float32Array, got ${show(values)}`,
    );
  }
  checkLength(values.length, name, length);
  for (let i = 0; i < values.length; i++) {
    if (!Number.isFinite(values[i])) {
      throw new GranuleError('NOT_FINITE', `${name} has ${values[i]} at ${i}`, { position: i });
    }
  }
  return types.isFloat64Array(values) ? values : Float64Array.from(values);
}

/** @throws GranuleError `LENGTH_MISMATCH` for a length of 0, or another than `expected` */
export function checkLength(length: number, name: string, expected?: number): void {
  if (length === 0) throw new GranuleError('LENGTH_MISMATCH', `${name} is empty`, { length });
  if (expected !== undefined && length !== expected) {
    throw new GranuleError('LENGTH_MISMATCH', `${name} has ${length} entries, not ${expected}`, {
      length,
      expected,
    });
  }
}

/**
 * A target distribution: `weights` divided by their sum.
 *
 * @throws GranuleError as `checkFloats`; `TARGET_INVALID` for a weight below 0, or where none is above 0
 */
export function checkDistribution(weights: Floats, name: string, length: number): Float64Array {
  const numbers = checkFloats(weights, name, length);
  const below = numbers.findIndex((weight) => weight < 0);
  if (below !== -1) {
    throw new GranuleError('TARGET_INVALID', `${name} has a weight below 0 at ${below}`, { position: below });
  }
  // Divided by the greatest first: the sum of weights near the end of float64's range is beyond it.
  const greatest = numbers.reduce((a, b) => Math.max(a, b), 0);
  if (greatest === 0) throw new GranuleError('TARGET_INVALID', `${name} has no weight above 0`);
  const shares = numbers.map((weight) => weight / greatest);
  const sum = shares.reduce((total, share) => total + share, 0);
  return shares.map((share) => share / sum);
}

/** @throws GranuleError `INVALID_ARGUMENT` for a number that is not finite, or below `least` */
export function checkAtLeast(value: number, least: number, name: string): number {
  if (typeof value !== 'number' || !Number.isFinite(value) || value < least) {
    throw new GranuleError(
      'INVALID_ARGUMENT',
      `${name} must be a finite number of at least ${least}, got ${show(value)}`,
    );
  }
  return value;
}

/** @throws GranuleError `INVALID_ARGUMENT` for a value that `known` has not */
export function checkChoice<Choice extends string>(
  value: Choice,
  known: readonly Choice[],
  name: string,
): Choice {
  if (!known.includes(value)) {
    throw new GranuleError(
      'INVALID_ARGUMENT',
      `${name} must be one of ${known.join(', ')}, got ${show(value)}`,
    );
  }
  return value;
}

/** @throws GranuleError `LENGTH_MISMATCH`; `INVALID_ARGUMENT` for a positive that is no column */
export function checkPositives(positives: ArrayLike<number>, queries: number, documents: number): void {
  checkLength(positives.length, 'positives', queries);
  for (let query = 0; query < queries; query++) {
    const column = positives[query]!;
    if (!Number.isSafeInteger(column) || column < 0 || column >= documents) {
      throw new GranuleError(
        'INVALID_ARGUMENT',
        `the positive of query ${query} must be a column below ${documents}, got ${show(column)}`,
        { query },
      );
    }
  }
}
