import { compareRuns } from '../../dist/esm/evaluation/significance/index.js';

/** Digits after the point of what is measured, printed and compared; a p-value of 100,000 permutations has 5. */
export const digitsOf = (name) => (name === 'p' ? 5 : 4);

/**
 * What an experiment measured, as its file states it: the measures, and against a baseline the difference of the first one with the
 * p-value of the randomisation test.
 *
 * @param baseline - the baseline's evaluation on the same queries
 */
export function measuredValues({ evaluation, fitted, correlation }, baseline) {
  const expected = {};
  for (const [measure, value] of evaluation.aggregate) expected[measure] = rounded(value);
  if (correlation !== undefined) expected.correlation = rounded(correlation);
  if (baseline !== undefined) {
    const [measure] = evaluation.aggregate.keys();
    const [{ test }] = compareRuns(baseline, [evaluation], { measures: [measure] });
    expected.difference = rounded(test.difference);
    expected.p = rounded(test.pValue, 'p');
  }
  return { expected, fitted: roundedWithin(fitted) };
}

/** Where a file differs from what was measured, a line each. */
export function differencesOf({ expected = {}, fitted = [] }, measured) {
  const names = new Set([...Object.keys(expected), ...Object.keys(measured.expected)]);
  const lines = [...names]
    .filter((name) => expected[name] !== measured.expected[name])
    .map((name) => `${name} is ${measured.expected[name]}, expected ${expected[name]}`);
  if (JSON.stringify(fitted) !== JSON.stringify(measured.fitted)) {
    lines.push(`fitted is ${JSON.stringify(measured.fitted)}, expected ${JSON.stringify(fitted)}`);
  }
  return lines;
}

function rounded(value, name) {
  return Number(value.toFixed(digitsOf(name)));
}

function roundedWithin(value) {
  if (typeof value === 'number') return rounded(value);
  if (Array.isArray(value)) return value.map(roundedWithin);
  if (typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([name, within]) => [name, roundedWithin(within)]));
}
