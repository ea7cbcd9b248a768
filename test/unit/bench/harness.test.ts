import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const folder = mkdtempSync(join(tmpdir(), 'granule-bench-test-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Result {
  workload: string;
  contender: string;
  threads: number;
  medianSeconds: number;
  spread: number;
  queriesPerSecond: number | null;
  bytesPerSecond: number | null;
  operationsPerSecond: number | null;
  shareOfRoofline: number | null;
  correct: { recall: number; bitEqual: boolean | null };
}

interface Report {
  results: Result[];
  skipped: { workload: string; contender: string; reason: string }[];
  roofline: { threads: number; readBytesPerSecond: number }[];
}

function bench(...args: string[]) {
  return spawnSync(process.execPath, ['bench/run.mjs', ...args], { encoding: 'utf8' });
}

describe('bench/run.mjs', () => {
  let report: Report;
  beforeAll(() => {
    const file = join(folder, 'report.json');
    const { status, stderr } = bench(
      ...['--workload', 'mips-1k-32-b1-k10,mips-1k-32-b4-k3,maxsim-40x7-32-q5,softmax-1k-k10,add-1k-32'],
      ...['--workload', 'events-1k-32,open-1k-32'],
      '--no-roofline',
      ...[
        '--contender',
        'ours-cpu,ours-cpu-plain,plain-js',
        '--threads',
        '1',
        '--rounds',
        '2',
        '--json',
        file,
      ],
    );
    expect(stderr).toBe('');
    expect(status).toBe(0);
    report = JSON.parse(readFileSync(file, 'utf8')) as Report;
  }, 240_000);

  it('measures each contender on each workload that it can do, or says why not', () => {
    const pairs = (entries: { workload: string; contender: string }[]) =>
      entries.map(({ workload, contender }) => `${workload} ${contender}`);
    const done = [...pairs(report.results), ...pairs(report.skipped)];
    for (const workload of ['mips-1k-32-b1-k10', 'mips-1k-32-b4-k3']) {
      for (const contender of ['ours-cpu', 'ours-cpu-plain', 'plain-js']) {
        expect(done).toContain(`${workload} ${contender}`);
      }
    }
    for (const workload of ['maxsim-40x7-32-q5', 'softmax-1k-k10']) {
      for (const contender of ['ours-cpu', 'plain-js']) expect(done).toContain(`${workload} ${contender}`);
    }
    for (const workload of ['add-1k-32', 'events-1k-32', 'open-1k-32']) {
      expect(done).toContain(`${workload} ours-cpu`);
    }
    for (const { reason } of report.skipped) expect(reason).toMatch(/^not supported by this build: /);
  });

  it('finds rows, order and scores of ours equal to the reference, bit for bit', () => {
    expect(report.results.length).toBeGreaterThanOrEqual(9);
    for (const { workload, contender, correct } of report.results) {
      expect(correct, `${workload} ${contender}`).toMatchObject({ recall: 1, bitEqual: true });
    }
  });

  it('derives rates from the median and what the workload demands', () => {
    const result = report.results.find(
      ({ workload, contender }) => workload === 'mips-1k-32-b4-k3' && contender === 'plain-js',
    );
    expect(result?.queriesPerSecond).toBeCloseTo(4 / result!.medianSeconds, 3);
    expect(result!.operationsPerSecond! * result!.medianSeconds).toBeCloseTo(2 * 1000 * 32 * 4, 3);
    expect(result!.bytesPerSecond! * result!.medianSeconds).toBeCloseTo(1000 * 32 * 4, 3);
  });
});

it('a wrong name ends with status 2 and one line', () => {
  for (const args of [
    ['--workload', 'mips-0-32-b1-k1'],
    ['--workload', 'mips-5-32-b1-k6'],
    ['--contender', 'x'],
  ]) {
    const { status, stderr } = bench(...args);
    expect(status).toBe(2);
    expect(stderr).toMatch(/^bench: there is no (workload|contender) .*\n$/);
  }
});

it('the oracle catches a wrong row, a wrong order and a wrong bit', async () => {
  const path = '../../../bench/oracle.mjs';
  const { judge } = (await import(path)) as {
    judge(oracle: object, answers: object[], k: number, bits: boolean): { recall: number; bitEqual: boolean };
  };
  const oracle = { scores: [new Float32Array([1, 3, 2, 2])], share: 1, complete: () => undefined };
  const verdict = (rows: number[], scores: number[]) => judge(oracle, [{ rows, scores }], 2, true);
  expect(verdict([1, 2], [3, 2])).toMatchObject({ recall: 1, bitEqual: true });
  // A row of equal score is as good, but it is not the reference's.
  expect(verdict([1, 3], [3, 2])).toMatchObject({ recall: 1, bitEqual: false });
  expect(verdict([2, 1], [2, 3])).toMatchObject({ recall: 1, bitEqual: false });
  expect(verdict([1, 0], [3, 1])).toMatchObject({ recall: 0.5, bitEqual: false });
  expect(verdict([1, 1], [3, 3])).toMatchObject({ recall: 0.5 });
  expect(verdict([1, 2], [3, 2.0000002384185791])).toMatchObject({ recall: 1, bitEqual: false });
});

it('the documents show what the results say', () => {
  expect(() => execFileSync(process.execPath, ['bench/render-tables.mjs', '--check'])).not.toThrow();
});
