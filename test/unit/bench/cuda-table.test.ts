import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';

const TABLE = resolve(import.meta.dirname, '../../../bench/cuda/table.py');

/** A machine on which the floors are easy to work out: 1e12 bytes and 1e15 operations a second, a bus of 1e11 bytes. */
const ROOFLINE = {
  workload: 'roofline',
  device: 'a device',
  copyBytesPerSecond: 1e12,
  transferBytesPerSecond: 1e11,
  int8OperationsPerSecond: 5e14,
  int8GroupOperationsPerSecond: 1e15,
  float64OperationsPerSecond: 1e13,
};
const ROWS = {
  workload: 'rows',
  rows: 10_000_000,
  documentVectors: 0,
  dimension: 768,
  queryVectors: 1,
  k: 10,
};
const RERANK = {
  workload: 'rerank',
  rows: 12_800,
  documentVectors: 256,
  dimension: 128,
  queries: 32,
  queryVectors: 32,
  candidates: 100,
  k: 10,
  bitEqual: true,
};

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'granule-table-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function rows(queries: number, seconds: number, more: object = {}) {
  const operations = 2 * ROWS.rows * ROWS.dimension * queries;
  return {
    ...ROWS,
    queries,
    medianSeconds: seconds,
    codeBytesPerSecond: (ROWS.rows * ROWS.dimension) / seconds,
    operationsPerSecond: operations / seconds,
    concurrent: [],
    bitEqual: true,
    ...more,
  };
}

function torch(peer: string, queries: number, medianSeconds: number) {
  return { peer, rows: ROWS.rows, dimension: ROWS.dimension, queries, k: ROWS.k, medianSeconds };
}

function triton(kernelSeconds: number) {
  const { queries, queryVectors, candidates, documentVectors, dimension } = RERANK;
  const size = { queries, queryVectors, candidates, documentVectors, dimension };
  return { peer: 'triton', ...size, kernelSeconds, callSeconds: null };
}

/** The table of these records, a row as an object, and what the program ended with. */
function table(...records: object[]) {
  writeFileSync(join(folder, 'a.jsonl'), records.map((record) => `${JSON.stringify(record)}\n`).join(''));
  const json = join(folder, 'table.json');
  const { status, stdout, stderr } = spawnSync('python3', [TABLE, folder, '--json', json], {
    encoding: 'utf8',
  });
  expect(stderr).toBe('');
  const cells = JSON.parse(readFileSync(json, 'utf8')) as Record<string, string>[];
  return { status, stdout, cells };
}

const ABSENT = 'not measured';

it.each([
  // 7.68e9 bytes of codes at 1e12 a second take 7.68 ms.
  [0.007_68 / 0.69, '69%', 'missed'],
  [0.007_68 / 0.71, '71%', 'met'],
  [0.007_68 / 0.86, '86%', 'aim met'],
])('a single search of %f s reaches %s of its floor: %s', (seconds, share, result) => {
  const { cells, status } = table(ROOFLINE, rows(1, seconds));
  expect(cells[0]).toMatchObject({
    workload: 'rows 10M x 768, batch 1',
    floor: '7.680 ms',
    share,
    must: '70% of floor',
    aim: '85% of floor',
    result,
  });
  expect(status).toBe(0);
});

it('a batch is held to its operations, and to each peer of the same size', () => {
  // 1.573e13 operations: 15.7 ms at 1e15 a second, 17.5 ms at the aim of 900 Top/s.
  const { cells } = table(
    ROOFLINE,
    rows(1024, 0.017),
    torch('torch-bf16', 1024, 0.034),
    torch('torch-float32', 1024, 0.085),
    torch('torch-bf16', 1, 1),
  );
  expect(cells.slice(0, 2)).toMatchObject([
    { floor: '15.729 ms', share: '93%', peer: 'torch-bf16 34.000 ms', ratio: '2.00 x', result: 'aim met' },
    { peer: 'torch-float32 85.000 ms', ratio: '5.00 x', must: '6 x peer', result: 'missed' },
  ]);
});

it('without the roofline, or without a peer, there is nothing to be held to', () => {
  const { cells } = table(rows(1, 0.001), rows(1024, 0.017));
  expect(cells.slice(0, 3).map(({ result, share }) => [result, share])).toEqual([
    [ABSENT, '-'],
    [ABSENT, '-'],
    [ABSENT, '-'],
  ]);
});

it.each([
  [0.0001, '1.00 x', 'missed'],
  [0.000_15, '1.50 x', 'met'],
  [0.0002, '2.00 x', 'aim met'],
])('reranking is held to the kernel of Triton: %f s against 0.0001 s', (peer, ratio, result) => {
  const { cells } = table(ROOFLINE, { ...RERANK, medianSeconds: 0.0001 }, triton(peer));
  // 3,200 documents of 32,768 bytes.
  expect(cells[0]).toMatchObject({ floor: '0.105 ms', ratio, result });
});

it('the transfer is held to the bus', () => {
  const transfer = { workload: 'transfer', of: 'rows', vectorBytes: 30_720_000_000 };
  const measured = (seconds: number) =>
    table(ROOFLINE, { ...transfer, seconds, transferBytesPerSecond: transfer.vectorBytes / seconds })
      .cells[0];
  expect(measured(0.4)).toMatchObject({ floor: '307.200 ms', share: '77%', result: 'met' });
  expect(measured(0.5)).toMatchObject({ share: '61%', result: 'missed' });
});

it('what was not measured is listed, and other sizes have no target', () => {
  const { cells, stdout } = table(ROOFLINE, { ...rows(1, 0.001), rows: 1_000_000 });
  expect(cells[0]).toMatchObject({ workload: 'rows 1M x 768, batch 1', must: '-', result: '-' });
  expect(cells.slice(1).map(({ result }) => result)).toEqual(Array<string>(6).fill(ABSENT));
  expect(stdout).toContain('documents 100k x 1030 x 128, batch 1 of 32');
});

it.each([
  ['alone', { bitEqual: false }],
  [
    'among others',
    { concurrent: [{ calls: 4, searchesPerSecond: 9, p50Seconds: 1, p99Seconds: 2, bitEqual: false }] },
  ],
])('wrong bits of a search %s fail the table', (_, more) => {
  const { cells, status } = table(ROOFLINE, rows(1, 0.008, more));
  expect(cells[0]).toMatchObject({ result: 'WRONG BITS' });
  expect(status).toBe(1);
});

it('needs a folder', () => {
  expect(() => execFileSync('python3', [TABLE], { stdio: 'pipe' })).toThrow(/usage: table.py/);
});
