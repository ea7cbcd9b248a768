import { expect, it } from 'vitest';

const reportPath = '../../../bench/render-report.mjs';
const chartPath = '../../../bench/render-chart.mjs';
const { renderReport, renderSummary } = (await import(reportPath)) as Record<
  'renderReport' | 'renderSummary',
  (report: object, charts: string) => string
>;
const { renderChart } = (await import(chartPath)) as { renderChart(report: object): string };

function result(workload: string, contender: string, threads: number, medianSeconds: number, more = {}) {
  return {
    ...{
      workload,
      contender,
      threads,
      medianSeconds,
      exact: contender !== 'usearch-i8',
      spread: 0.1,
      calls: 9,
    },
    ...{ rounds: 3, coresUsed: threads, queriesPerSecond: 512 / medianSeconds, bytesPerSecond: 1e9 },
    ...{ operationsPerSecond: 2e11, shareOfRoofline: 0.4, boundBy: 'int8' },
    correct: { recall: 1, bitEqual: contender.startsWith('ours') ? true : null, queries: 3, share: 1 },
    ...more,
  };
}

const workload = 'mips-200k-768-b512-k10';
const report = {
  machine: {
    ...{ name: 'a-machine', cpu: 'A <Machine>', cores: 2, memoryBytes: 2 ** 34, platform: 'linux-x64' },
    ...{ node: '20.0.0', granule: '0.0.0', isa: 'avx512vnni', compiler: 'gcc' },
  },
  note: 'measured on a ship',
  rounds: 5,
  roofline: [
    {
      ...{
        threads: 1,
        readBytesPerSecond: 30e9,
        copyBytesPerSecond: 20e9,
        freshBytesPerSecond: 5e9,
        f32OperationsPerSecond: 1e11,
      },
      ...{ int8OperationsPerSecond: 4e11, int8Instruction: 'vpdpbusd' },
    },
  ],
  rooflineReason: null,
  results: [
    result(workload, 'ours-cpu', 1, 0.5),
    result(workload, 'faiss', 1, 1.5),
    result(workload, 'usearch-i8', 1, 0.9, { queriesTimed: 7 }),
    result('add-1m-768', 'ours-cpu', 1, 0.2, {
      ...{ queriesPerSecond: null, operationsPerSecond: null, firstSeconds: 0.4, bytesPerSecond: 15e9 },
      ...{ shareOfRoofline: 0.5, boundBy: 'memory' },
    }),
  ],
  skipped: [{ workload, contender: 'plain-js', threads: 2, reason: 'one | thread' }],
};

it('the document shows every result, what it does not say at once, and what was not run', () => {
  const text = renderReport(report, 'charts');
  expect(text).toMatch(/^\| usearch-i8 \(not exact\) \| 1 \| 900 /m);
  expect(text).toContain('usearch-i8, threads: 1: timed with 7 of the queries, and scaled to all of them');
  expect(text).toContain('ours-cpu, threads: 1: the first call of a process takes 400 ms');
  expect(text).toContain('| plain-js | 2 | mips-200k-768-b512-k10 | one \\| thread |');
  expect(text).toContain('*measured on a ship*');
  expect(text).not.toMatch(/undefined|NaN|Infinity/);
});

it('targets are computed from the report', () => {
  const rows = renderReport(report, 'charts').split('\n');
  const row = (start: string) => rows.find((line) => line.startsWith(`| ${start}`));
  expect(row('mips-200k-768-b512-k10: times as fast as faiss | 1')).toBe(
    '| mips-200k-768-b512-k10: times as fast as faiss | 1 | 3.00 x | at least 4.00 x | at least 4.70 x | **missed** |',
  );
  expect(row('mips-200k-768-b512-k10: share of the int8 peak | 1')).toMatch(
    /\| 50 % \| at least 75 % .*missed/,
  );
  expect(row('add-1m-768: share')).toMatch(/\| 50 % \| at least 35 % \| at least 60 % \| met \|$/);
  expect(row('open-1m-768')).toMatch(/\| 1 \| {2}\| under 1000 ms \| under 300 ms \| not measured \|$/);
});

it('the summary compares with the fastest who is exact', () => {
  expect(renderSummary(report, 'charts')).toContain(`| ${workload} | 1 | 500 | 1500 (faiss) | 3.0 x |`);
});

it('the chart draws a bar for each contender, the most queries a second as the longest', () => {
  const svg = renderChart(report);
  const widths = [...svg.matchAll(/<rect x="190"[^>]* width="([\d.]+)"/g)].map((match) => Number(match[1]));
  expect(widths).toHaveLength(3);
  expect(widths[0]! / widths[2]!).toBeCloseTo(3, 1);
  expect(svg).toContain('A &lt;Machine&gt;');
});
