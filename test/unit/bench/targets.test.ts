import { expect, it } from 'vitest';

interface Target {
  what: string;
  threads: number;
  measured: number | null;
  must: number | null;
  aim: number | null;
  less?: boolean;
  peer?: string;
}

const path = '../../../bench/targets.mjs';
const { targetsOf, verdict } = (await import(path)) as {
  targetsOf(report: object): Target[];
  verdict(target: Pick<Target, 'measured' | 'must' | 'aim' | 'less'>): string;
};

const roofline = [1, 2].map((threads) => ({
  threads,
  readBytesPerSecond: 30e9,
  int8OperationsPerSecond: 500e9 * threads,
}));

function result(workload: string, contender: string, threads: number, medianSeconds: number, more = {}) {
  return { workload, contender, threads, medianSeconds, exact: contender !== 'usearch-i8', ...more };
}

function target(results: object[], what: RegExp, threads: number): Target {
  const found = targetsOf({ roofline, results }).filter(
    (one) => what.test(one.what) && one.threads === threads,
  );
  expect(found).toHaveLength(1);
  return found[0]!;
}

it('a peer counts where it is exact, not ours, and has as many threads', () => {
  const workload = 'mips-1m-768-b1-k10';
  const results = [
    result(workload, 'ours-cpu', 1, 0.03, { bytesPerSecond: 768e6 / 0.03 }),
    result(workload, 'ours-cpu-plain', 1, 0.05),
    result(workload, 'usearch-i8', 1, 0.04),
    result(workload, 'usearch-f32', 1, 0.132),
    result(workload, 'hnswlib-node', 1, 0.12),
    result(workload, 'faiss', 2, 0.06),
  ];
  expect(target(results, /^mips-1m-768-b1-k10: times/, 1)).toMatchObject({
    measured: 4,
    peer: 'hnswlib-node',
    must: 3.3,
    aim: 4,
  });
  expect(target(results, /^mips-1m-768-b1-k10: times/, 2)).toMatchObject({ measured: null });
  const share = target(results, /^mips-1m-768-b1-k10: share/, 1);
  expect(share.measured).toBeCloseTo(768 / 30 / 30, 9);
});

it('shares, times and scaling come from the figures of the report', () => {
  const results = [
    result('mips-200k-768-b512-k10', 'ours-cpu', 1, 0.4, { operationsPerSecond: 393e9 }),
    result('mips-200k-768-b512-k10', 'ours-cpu', 2, 0.2, { operationsPerSecond: 786e9 }),
    result('mips-200k-768-b512-k10', 'faiss', 2, 1),
    result('add-1m-768', 'ours-cpu', 1, 0.2, { bytesPerSecond: 15e9, firstSeconds: 0.4 }),
    result('memory-1m-768', 'ours-cpu', 1, 1, { memoryOverhead: 0.015 }),
    result('open-1m-768', 'ours-cpu', 1, 0.2, { firstSeconds: 0.5 }),
    result('survivors-1m-768-k10', 'ours-cpu', 1, 1, { rescoredShareMost: 0.002 }),
  ];
  expect(target(results, /^mips-200k-768-b512-k10: two threads/, 2).measured).toBe(2);
  expect(target(results, /^mips-200k-768-b512-k10: times as fast as faiss/, 2).measured).toBe(5);
  expect(target(results, /^mips-200k-768-b512-k10: share/, 2).measured).toBeCloseTo(0.786, 9);
  expect(target(results, /^add-1m-768: share/, 1).measured).toBeCloseTo(0.5, 9);
  expect(target(results, /^add-1m-768: the same, first call/, 1).measured).toBeCloseTo(0.25, 9);
  expect(verdict(target(results, /^memory/, 1))).toBe('met');
  expect(target(results, /^open/, 1)).toMatchObject({ measured: 0.5, must: 1, aim: 0.3 });
  expect(verdict(target(results, /^survivors-1m-768/, 1))).toBe('missed');
  expect(verdict(target(results, /^survivors-1m-128/, 1))).toBe('not measured');
});

it('verdicts: more or less is better, a limit itself is reached, an aim may stand alone', () => {
  const more = { must: 2, aim: 3 };
  expect([1.9, 2, 2.9, 3].map((measured) => verdict({ measured, ...more }))).toEqual([
    ...['missed', 'met', 'met', 'aim reached'],
  ]);
  const less = { must: 3, aim: 2, less: true };
  expect([3.1, 3, 2.1, 2].map((measured) => verdict({ measured, ...less }))).toEqual([
    ...['missed', 'met', 'met', 'aim reached'],
  ]);
  const aimOnly = { must: null, aim: 2, less: true };
  expect([2.1, 2].map((measured) => verdict({ measured, ...aimOnly }))).toEqual(['missed', 'aim reached']);
  expect(verdict({ measured: 1, must: 2, aim: null })).toBe('missed');
  expect(verdict({ measured: 2, must: 2, aim: null })).toBe('met');
  expect(verdict({ measured: null, ...more })).toBe('not measured');
});
