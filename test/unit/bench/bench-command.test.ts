import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { commandsInOneProcess, granule } from '../../contracts/cli-process.js';

const folder = mkdtempSync(join(tmpdir(), 'granule-bench-command-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function save(name: string, rows: number, columns: number, last?: number): string {
  const header = `{'descr': '<f4', 'fortran_order': False, 'shape': (${rows}, ${columns}), }`.padEnd(117);
  const prefix = Buffer.from('\x93NUMPY\x01\x00\x76\x00', 'latin1');
  const values = Float32Array.from({ length: rows * columns }, (_, i) => Math.fround(((i * 37) % 101) / 101));
  if (last !== undefined) values[values.length - 1] = last;
  const path = join(folder, name);
  writeFileSync(path, Buffer.concat([prefix, Buffer.from(`${header}\n`), new Uint8Array(values.buffer)]));
  return path;
}

it('measures vectors of the user, and finds granule and plain JavaScript equal', async () => {
  const vectors = save('vectors.npy', 40, 9);
  const queries = save('queries.npy', 3, 9);
  const args = ['--vectors', vectors, '--queries', queries, '--k', '5', '--threads', '1', '--json'];
  const { status, stdout } = await granule(['bench', ...args]);
  expect(status).toBe(0);
  const report = JSON.parse(stdout) as { results: { contender: string; batch: number; bitEqual: boolean }[] };
  expect(report).toMatchObject({ rows: 40, dimension: 9, queries: 3, k: 5, threads: 1 });
  expect(report.results.map(({ contender, batch, bitEqual }) => [contender, batch, bitEqual])).toEqual([
    ['granule', 1, true],
    ['plain-js', 1, true],
    ['granule', 3, true],
    ['plain-js', 3, true],
  ]);
}, 60_000);

it('generates vectors where none are given, and says how much faster granule is', async () => {
  const { status, stdout } = await granule(['bench', '--rows', '300', '--dimension', '8', '--threads', '1']);
  expect(status).toBe(0);
  expect(stdout).toMatch(/^generated unit vectors: 300 x 8, k 10, 1 threads, /);
  expect(stdout).toMatch(/^1 at once: granule is \d+\.\d times as fast as plain JavaScript$/m);
  expect(stdout).toMatch(/^rows and scores are equal, bit for bit$/m);
}, 60_000);

it('refuses what does not fit together, in one line', async () => {
  const vectors = save('a.npy', 4, 3);
  const queries = save('b.npy', 4, 2);
  const infinite = save('c.npy', 4, 3, Number.POSITIVE_INFINITY);
  const cases: [string[], RegExp, number][] = [
    [['--queries', queries], /--queries needs --vectors \[USAGE\]/, 2],
    [['--vectors', vectors, '--queries', queries, '--k', '1'], /\[LENGTH_MISMATCH\]/, 1],
    [['--vectors', vectors, '--k', '5'], /--k is 5, but there are 4 vectors \[K_OUT_OF_RANGE\]/, 1],
    [['--vectors', join(folder, 'none.npy')], /\[FILE_NOT_FOUND\]/, 1],
    [['--threads', '1025'], /\[USAGE\]/, 2],
    [['--vectors', vectors, '--rows', '5'], /--rows and --dimension are of generated vectors.* \[USAGE\]/, 2],
    [['--rows', '1000000000', '--dimension', '4096'], /would take 16384\.0 GB.* \[OUT_OF_MEMORY\]/, 1],
    [['--vectors', infinite, '--k', '1'], /c\.npy: row 3, column 2 is Infinity \[NOT_FINITE\]/, 1],
    [
      ['--vectors', vectors, '--queries', infinite, '--k', '1'],
      /c\.npy: row 3, column 2 .*\[NOT_FINITE\]/,
      1,
    ],
  ];
  const left = await commandsInOneProcess(cases.map(([args]) => ['granule', 'bench', ...args]));
  for (const [place, [, message, expected]] of cases.entries()) {
    const { status, stderr } = left[place]!;
    expect(stderr).toMatch(message);
    expect(status).toBe(expected);
  }
}, 60_000);
