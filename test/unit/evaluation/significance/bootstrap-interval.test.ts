import { expect, test } from 'vitest';
import {
  bootstrapIntervals,
  pairedBootstrapInterval,
} from '../../../../src/evaluation/significance/bootstrap-interval.js';

/** The means of all n^n resamples, ascending. */
function allMeans(values: readonly number[]): number[] {
  const n = values.length;
  const means = Array.from({ length: n ** n }, (_, resample) => {
    let sum = 0;
    for (let draw = 0, rest = resample; draw < n; draw++, rest = Math.floor(rest / n))
      sum += values[rest % n]!;
    return sum / n;
  });
  return means.sort((a, b) => a - b);
}

test('lies at the quantiles of all resamples', () => {
  const values = [0, 0.1, 0.25, 0.7, 1];
  const means = allMeans(values);
  const [interval] = bootstrapIntervals([Float64Array.from(values)], { resamples: 40_000, confidence: 0.8 });
  // The drawn quantile lies among those of neighbouring shares: 0.1 and 0.9, four deviations of sqrt(0.09 / 40000) to each side.
  const quantile = (share: number) => means[Math.floor(share * means.length)]!;
  expect(interval!.mean).toBeCloseTo(0.41, 12);
  expect(interval!.low).toBeGreaterThanOrEqual(quantile(0.094) - 1e-12);
  expect(interval!.low).toBeLessThanOrEqual(quantile(0.106) + 1e-12);
  expect(interval!.high).toBeGreaterThanOrEqual(quantile(0.894) - 1e-12);
  expect(interval!.high).toBeLessThanOrEqual(quantile(0.906) + 1e-12);
});

test('39 resamples give 95 % by the least and the greatest mean, 19 give 90 %; fewer are too few', () => {
  const values = Float64Array.of(0, 1, 2, 5);
  const [wide] = bootstrapIntervals([values], { resamples: 39 });
  const [same] = bootstrapIntervals([values], { resamples: 39, confidence: 0.96 - 0.01 });
  expect(same).toEqual(wide);
  const [narrow] = bootstrapIntervals([values], { resamples: 39, confidence: 0.5 });
  expect(narrow!.low).toBeGreaterThan(wide!.low);
  expect(narrow!.high).toBeLessThan(wide!.high);
  expect(() => bootstrapIntervals([values], { resamples: 38 })).toThrow(/too few/);
  expect(() => bootstrapIntervals([values], { resamples: 19, confidence: 0.9 })).not.toThrow();
  expect(() => bootstrapIntervals([values], { resamples: 18, confidence: 0.9 })).toThrow(/too few/);
});

test('every column sees the same resamples', () => {
  const values = Float64Array.of(0, 0.25, 0.5, 2, 4, 8);
  const [one, twice] = bootstrapIntervals([values, values.map((value) => 2 * value)]);
  expect(twice).toEqual({ mean: 2 * one!.mean, low: 2 * one!.low, high: 2 * one!.high });
});

test('both ends are cut off alike: the interval of the negated values is the negated interval', () => {
  const values = Float64Array.of(0.03, 0.21, 0.5, 1.7, 4.1, 8.9);
  const [there, back] = bootstrapIntervals([values, values.map((value) => -value)], { resamples: 199 });
  expect(back).toEqual({ mean: -there!.mean, low: -there!.high, high: -there!.low });
});

test('the paired interval is that of the differences, and far narrower where both runs rise and fall together', () => {
  const baseline = Float64Array.from({ length: 40 }, (_, i) => i / 40);
  const other = baseline.map((value, i) => value + (i % 2 === 0 ? 0.02 : 0.04));
  const paired = pairedBootstrapInterval(baseline, other);
  expect(paired).toEqual(bootstrapIntervals([other.map((value, i) => value - baseline[i]!)])[0]);
  expect(paired.low).toBeGreaterThan(0.02);
  expect(paired.high).toBeLessThan(0.04);
  const [alone] = bootstrapIntervals([other]);
  expect(alone!.high - alone!.low).toBeGreaterThan(10 * (paired.high - paired.low));
});

test('values that are all alike have no width; a seed has one result', () => {
  expect(bootstrapIntervals([Float64Array.of(0.5, 0.5)])).toEqual([{ mean: 0.5, low: 0.5, high: 0.5 }]);
  const values = Float64Array.from({ length: 30 }, (_, i) => Math.sqrt(i));
  const options = { resamples: 100 };
  expect(bootstrapIntervals([values], options)).toEqual(
    bootstrapIntervals([values], { ...options, seed: 1 }),
  );
  expect(bootstrapIntervals([values], options)).not.toEqual(
    bootstrapIntervals([values], { ...options, seed: 2 }),
  );
});

test('about 95 of 100 intervals hold the mean that the values were drawn around', () => {
  let state = 99;
  const uniform = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
  let holding = 0;
  for (let i = 0; i < 200; i++) {
    const values = Float64Array.from({ length: 60 }, uniform);
    const { low, high } = bootstrapIntervals([values], { resamples: 400, seed: i })[0]!;
    if (low <= 0.5 && 0.5 <= high) holding += 1;
  }
  expect(holding / 200).toBeGreaterThan(0.88);
  expect(holding / 200).toBeLessThan(0.995);
});

test('refuses nothing, columns of several lengths, and wrong options', () => {
  expect(bootstrapIntervals([])).toEqual([]);
  expect(() => bootstrapIntervals([new Float64Array()])).toThrow(/no query/);
  expect(() => bootstrapIntervals([Float64Array.of(1), Float64Array.of(1, 2)])).toThrow(/columns/);
  expect(() => bootstrapIntervals([Float64Array.of(Number.NaN)])).toThrow(/place 0/);
  expect(() => bootstrapIntervals([Float64Array.of(1)], { confidence: 95 })).toThrow(/confidence/);
  expect(() => bootstrapIntervals([Float64Array.of(1)], { level: 1 } as object)).toThrow(/no option level/);
});
