/**
 * The conformance suite: every operation of the engine against the oracle, bit for bit, on one instruction set or device.
 *
 * To add an instruction set, add a file like `scalar.test.ts` (a process loads the addon once, so each set has its own
 * file); `instruction-sets.test.ts` fails until it is there. To add an operation, add it to the oracle and a file like
 * `flat-cases.ts`, and call that below.
 *
 * @module
 */
import { beforeAll, describe, expect, it } from 'vitest';
import { type Device, type Metric, runtimeInfo } from '../../src/index.js';
import { flatCases } from './flat-cases.js';
import { availableInstructionSets } from './instruction-set.js';
import { logSumExpCases } from './log-sum-exp-cases.js';
import { multiVectorCases } from './multi-vector-cases.js';
import { softmaxCases } from './softmax-cases.js';
import { storedRowsCases } from './stored-rows-cases.js';

/** Which cases run, and where. */
export interface Scope {
  readonly device: Device;
  readonly metrics: readonly Metric[];
  readonly dimensions: readonly number[];
  readonly threadCounts: readonly number[];
  /** Also cases of tens of thousands of rows, and of many places. */
  readonly large: boolean;
}

/** Every case; the lengths lie around every width at which a kernel unrolls. */
export const EVERYTHING = {
  metrics: ['ip', 'cosine', 'l2'],
  dimensions: [1, 2, 7, 8, 9, 15, 16, 17, 31, 33, 127, 128, 129, 767, 768, 769, 1030],
  threadCounts: [1, 2, 3, 8],
  large: true,
} as const;

/** Of the searches; `topKSoftmax` has no device. */
export function describeSearches(scope: Scope): void {
  describe('FlatIndex', () => flatCases(scope));
  describe('MultiVectorIndex', () => multiVectorCases(scope));
  describe('what is stored', () => storedRowsCases(scope));
}

export function describeInstructionSet(isa: string): void {
  const runsHere = availableInstructionSets().includes(isa);
  describe.skipIf(!runsHere)(`${isa}${runsHere ? '' : ' (skipped: this processor does not run it)'}`, () => {
    beforeAll(() => {
      process.env['GRANULE_ISA'] = isa;
    });

    it('is what GRANULE_ISA chose', () => {
      expect(runtimeInfo().isa).toBe(isa);
    });

    describeSearches({ ...EVERYTHING, device: 'cpu' });
    describe('topKSoftmax', softmaxCases);
    describe('logSumExp', logSumExpCases);
  });
}
