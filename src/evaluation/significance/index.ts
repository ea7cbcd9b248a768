export {
  type BootstrapOptions,
  bootstrapIntervals,
  type MeanInterval,
  pairedBootstrapInterval,
} from './bootstrap-interval.js';
export {
  type ComparisonOptions,
  comparableMeasures,
  compareRuns,
  largestDifferences,
  type QueryDifference,
  type RunComparison,
} from './compare-runs.js';
export { holmCorrection } from './holm-correction.js';
export {
  type RandomisationOptions,
  type RandomisationResult,
  randomisationTest,
} from './randomisation-test.js';
export { pairedTTest, type TTestResult } from './t-test.js';
