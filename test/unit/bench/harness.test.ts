import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
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
  calls: number;
  queriesPerSecond: number | null;
  bytesPerSecond: number | null;
  operationsPerSecond: number | null;
  coresUsed: number;
  rescoredShareMost?: number;
  residentBytes?: number;
  indexBytes?: number;
  memoryOverhead?: number;
  eventLoopDelayP99Seconds?: number;
  eventLoopDelayMostSeconds?: number;
  firstSeconds?: number;
  correct: { recall: number; bitEqual: boolean | null };
}

interface Report {
  machine: { name: string };
  results: Result[];
  skipped: { workload: string; contender: string; threads: number; reason: string }[];
}

function bench(...args: string[]) {
  return spawnSync(process.execPath, ['bench/run.mjs', ...args], { encoding: 'utf8' });
}

function read(file: string): Report {
  return JSON.parse(readFileSync(file, 'utf8')) as Report;
}

function names(report: Report): string[] {
  return report.results
    .map(({ workload, contender, threads }) => `${workload} ${contender} ${threads}`)
    .sort();
}

describe('npm run bench -- --quick', () => {
  const file = join(folder, 'quick.json');
  let report: Report;
  beforeAll(() => {
    const { status, stderr } = bench('--quick', '--threads', '1', '--rounds', '1', '--json', file);
    expect(stderr).toBe('');
    expect(status).toBe(0);
    report = read(file);
  }, 240_000);

  const find = (workload: string, contender = 'ours-cpu') =>
    report.results.find((result) => result.workload === workload && result.contender === contender)!;

  it('measures each contender on each workload that it can do, or says why not', () => {
    const ours = ['mips-2k-64-b1-k10', 'mips-2k-64-b32-k10', 'add-2k-64', 'memory-2k-64', 'open-2k-64'];
    const expected = [
      ...ours.flatMap((workload) => [`${workload} ours-cpu 1`, `${workload} ours-cpu-plain 1`]),
      ...[
        'survivors-2k-64-k10',
        'maxsim-50x20-64-q8',
        'softmax-10k-k10',
        'reserved-2k-64',
        'events-2k-64',
        'bm25-2k-k10',
        'contrast-64-32-16',
      ].map((workload) => `${workload} ours-cpu 1`),
      ...['mips-2k-64-b1-k10', 'mips-2k-64-b32-k10', 'maxsim-50x20-64-q8', 'softmax-10k-k10'].map(
        (workload) => `${workload} plain-js 1`,
      ),
      'bm25-2k-k10 sqlite-fts5 1',
    ].sort();
    const skipped = report.skipped.map(
      ({ workload, contender, threads }) => `${workload} ${contender} ${threads}`,
    );
    expect([...names(report), ...skipped].sort()).toEqual(expected);
    for (const { workload, reason } of report.skipped) {
      expect(workload).toBe('open-2k-64');
      expect(reason).toBe('not supported by this build: FlatIndex has no files');
    }
  });

  it('finds rows, order and scores of ours equal to the reference, bit for bit', () => {
    for (const { workload, contender, correct } of report.results) {
      const bitEqual = contender === 'sqlite-fts5' || workload.startsWith('contrast') ? null : true;
      expect(correct, `${workload} ${contender}`).toMatchObject({ recall: 1, bitEqual });
    }
  });

  it('derives rates from the median and what the workload demands', () => {
    const plain = find('mips-2k-64-b32-k10', 'plain-js');
    expect(plain.queriesPerSecond).toBeCloseTo(32 / plain.medianSeconds, 3);
    expect(plain.operationsPerSecond! * plain.medianSeconds).toBeCloseTo(2 * 2000 * 64 * 32, 3);
    expect(plain.bytesPerSecond! * plain.medianSeconds).toBeCloseTo(2000 * 64 * 4, 3);
    const ours = find('mips-2k-64-b32-k10');
    expect(ours.bytesPerSecond! * ours.medianSeconds).toBeCloseTo(2000 * 64, 3);
  });

  it('measures what is not time: survivors, memory, the event loop, the first call', () => {
    expect(find('survivors-2k-64-k10').rescoredShareMost).toBeGreaterThanOrEqual(10 / 2000);
    expect(find('survivors-2k-64-k10').rescoredShareMost).toBeLessThan(0.5);
    const memory = find('memory-2k-64');
    expect(memory.indexBytes).toBeGreaterThanOrEqual(2000 * 64 * 5);
    const taken = Math.max(memory.indexBytes!, memory.residentBytes!);
    expect(memory.memoryOverhead).toBeCloseTo(taken / (2000 * 64 * 5) - 1, 9);
    const events = find('events-2k-64');
    expect(events.eventLoopDelayMostSeconds).toBeGreaterThanOrEqual(events.eventLoopDelayP99Seconds!);
    expect(events.eventLoopDelayP99Seconds).toBeLessThan(1);
    expect(find('add-2k-64').firstSeconds).toBeGreaterThan(0);
  });

  it('leaves nothing to continue when it is through, and --only-missing measures nothing again', () => {
    expect(existsSync(`${file}.journal`)).toBe(false);
    const { stdout } = bench('--quick', '--threads', '1', '--rounds', '1', '--json', file, '--only-missing');
    expect(stdout).not.toMatch(/round 1/);
    expect(read(file).results).toEqual(report.results);
  }, 60_000);
});

describe('--only-missing', () => {
  const workload = ['--workload', 'mips-500-16-b1-k3,mips-500-16-b4-k3', '--threads', '1', '--no-roofline'];
  const all = [...workload, '--contender', 'ours-cpu,plain-js', '--rounds', '2'];

  it('goes on where a run was stopped, in the middle of a line of its journal', () => {
    const file = join(folder, 'stopped.json');
    const of = (name: string, contender: string) => [name, contender, 1];
    const times = {
      ...{ queries: 1, seconds: [100], cpuSeconds: 100, elementBytes: 4, arithmetic: 'f32' },
    };
    const lines = [
      { of: of('mips-500-16-b1-k3', 'plain-js'), correct: { recall: 1, bitEqual: true } },
      { of: of('mips-500-16-b1-k3', 'plain-js'), times },
      { of: of('mips-500-16-b1-k3', 'plain-js'), times },
    ].map((line) => JSON.stringify(line));
    writeFileSync(`${file}.journal`, `${lines.join('\n')}\n{"of":["mips-500-16-b4-k3","pl`);
    const { status, stderr } = bench(...all, '--json', file, '--only-missing');
    expect(stderr).toBe('');
    expect(status).toBe(0);
    const { results } = read(file);
    expect(results).toHaveLength(4);
    const kept = results.find((one) => one.workload.includes('b1') && one.contender === 'plain-js')!;
    expect(kept).toMatchObject({ medianSeconds: 100, calls: 2, coresUsed: 1 });
    for (const result of results.filter((one) => one !== kept)) {
      expect(result.medianSeconds).toBeLessThan(1);
      expect(result.correct).toMatchObject({ recall: 1, bitEqual: true });
    }
  }, 60_000);

  it('adds to a finished report what it lacks, and keeps the rest as it is', () => {
    const file = join(folder, 'finished.json');
    expect(bench(...workload, '--contender', 'plain-js', '--rounds', '1', '--json', file).status).toBe(0);
    const finished = read(file);
    const before = finished.results;
    const reason = 'nobody knows';
    const [ofOthers, measuredNow] = ['plain-js', 'ours-cpu'].map((contender) => {
      const workload = contender === 'plain-js' ? 'mips-9-9-b1-k1' : 'mips-500-16-b1-k3';
      return { workload, contender, threads: 1, reason };
    });
    writeFileSync(file, JSON.stringify({ ...finished, skipped: [ofOthers, measuredNow] }));
    expect(bench(...all, '--json', file, '--only-missing').status).toBe(0);
    const after = read(file);
    expect(after.results.slice(0, 2)).toEqual(before);
    expect(after.skipped).toEqual([ofOthers]);
    expect(names(after)).toHaveLength(4);
  }, 60_000);

  it('refuses the report of another machine, and needs a file', () => {
    const file = join(folder, 'other.json');
    writeFileSync(file, JSON.stringify({ machine: { name: 'another' }, results: [], roofline: [] }));
    expect(bench(...all, '--json', file, '--only-missing').stderr).toMatch(/is of another machine: another/);
    expect(bench(...all, '--only-missing').stderr).toMatch(/^bench: --only-missing needs the report/);
  }, 60_000);
});

it('a contender that memory cannot hold is left out with the reason', () => {
  const file = join(folder, 'memory.json');
  const args = ['--workload', 'mips-1m-768-b1-k10', '--contender', 'ours-cpu', '--threads', '1'];
  expect(bench(...args, '--memory', '1', '--no-roofline', '--json', file).status).toBe(0);
  expect(read(file).results).toEqual([]);
  expect(read(file).skipped).toMatchObject([
    { reason: 'needs about 3.8 GiB of memory, and 1.0 are there for it' },
  ]);
});

it('a wrong option ends with status 2 and one line', async () => {
  const { status, stderr } = bench('--rounds', 'two');
  expect([status, stderr]).toEqual([2, 'bench: two is not a whole number of at least 1\n']);
  const path = '../../../bench/options.mjs';
  const { readOptions } = (await import(path)) as { readOptions(args: readonly string[]): object };
  for (const [args, message] of [
    [['--workload', 'mips-0-32-b1-k1'], 'there is no workload mips-0-32-b1-k1; --list shows them'],
    [['--workload', 'mips-5-32-b1-k6'], 'there is no workload mips-5-32-b1-k6; --list shows them'],
    [['--contender', 'x'], 'there is no contender x'],
    [['--rounds', '0'], '0 is not a whole number of at least 1'],
    [['--round', '2'], "Unknown option '--round'"],
  ] as [string[], string][]) {
    expect(() => readOptions(args)).toThrow(message);
  }
});

it('the oracle catches a wrong row, a wrong order and a wrong bit', async () => {
  const path = '../../../bench/oracle.mjs';
  const { judge, referenceDot } = (await import(path)) as {
    judge(oracle: object, answers: object[], k: number, bits: boolean): { recall: number; bitEqual: boolean };
    referenceDot(a: number[], aStart: number, b: number[], bStart: number, dimension: number): number;
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
  // Lanes: 2^53 + 1 is lost in one lane, and kept in two.
  const big = 2 ** 53;
  expect(referenceDot([0, big, ...Array(7).fill(0), 1, 1], 1, Array(10).fill(1), 0, 10)).toBe(big + 1);
  expect(referenceDot([big, ...Array(7).fill(0), 1], 0, Array(9).fill(1), 0, 9)).toBe(big);
});

it('the documents show what the results say', () => {
  expect(() => execFileSync(process.execPath, ['bench/render-tables.mjs', '--check'])).not.toThrow();
});
