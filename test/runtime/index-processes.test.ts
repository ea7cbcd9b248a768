/** One folder of an index in the hands of several processes, and of one that runs out of room. */
import { execFile, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { FlatIndex } from '../../src/index.js';
import { buildPackage, runScript } from './built-package.js';

const SCRIPT = path.join(import.meta.dirname, 'scripts', 'index-process.mjs');
const dimension = 32;

let packageUrl = '';
beforeAll(async () => {
  packageUrl = await buildPackage('index-processes');
}, 120_000);

async function savedIndex(rows: number): Promise<string> {
  const folder = mkdtempSync(path.join(tmpdir(), 'granule-index-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const index = new FlatIndex({ dimension });
  await index.add(
    Float32Array.from({ length: rows * dimension }, (_, i) => ((i * 7561) % 1009) / 1009 - 0.5),
  );
  await index.save(folder);
  return folder;
}

/** A process that has the folder mapped. */
async function mappingProcess(folder: string) {
  const child = spawn(process.execPath, [SCRIPT, packageUrl, 'map', folder], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  onTestFinished(() => void child.kill());
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  expect((await lines.next()).value).toBe('open');
  return async () => {
    child.stdin.write('search\n');
    return JSON.parse((await lines.next()).value as string) as { rows: number[]; scores: number[] };
  };
}

describe('the folder of an index', () => {
  it('is mapped by two processes, and appended to and compacted by a third', async () => {
    const folder = await savedIndex(2000);
    const [one, two] = await Promise.all([mappingProcess(folder), mappingProcess(folder)]);
    const before = await one();
    expect(await two()).toEqual(before);
    const appending = runScript<{ rows: number }>('index-process.mjs', [packageUrl, 'append', folder, '12']);
    let searches = 0;
    let appended = 0;
    const done = appending.then(({ rows }) => {
      appended = rows;
    });
    while (appended === 0) {
      // Each sees the state that it opened, also when the files of that state are deleted.
      expect(await Promise.all([one(), two()])).toEqual([before, before]);
      searches++;
    }
    await done;
    expect(searches).toBeGreaterThan(0);
    expect(appended).toBe(2000 + 12 * 100 - 4);
    expect((await FlatIndex.open(folder, { mmap: true })).rows).toBe(appended);
  }, 60_000);

  it('is appended to by one process at a time: the others are told, and nothing is lost', async () => {
    const folder = await savedIndex(50);
    const outcomes = await Promise.all(
      [1, 2, 3].map(() =>
        runScript<{ saves: number; code?: string }>('index-process.mjs', [packageUrl, 'append', folder, '6']),
      ),
    );
    let rows = 50;
    for (const { saves, code } of outcomes) {
      if (saves < 6) expect(code).toMatch(/^INDEX_(EXISTS|LOCKED)$/);
      rows += 100 * saves - Math.floor(saves / 3);
    }
    // Every save that succeeded is in the folder, whoever made it and when.
    expect(rows).toBeGreaterThan(50);
    expect((await FlatIndex.open(folder)).rows).toBe(rows);
  }, 60_000);

  it.skipIf(process.platform === 'win32')(
    `keeps its state when there is no room for the next${process.platform === 'win32' ? ' (skipped: no ulimit on Windows)' : ''}`,
    async () => {
      const folder = await savedIndex(500);
      const before = readdirSync(folder);
      // 200 blocks of 512 bytes, or of 1,024 in some shells, per file; the new rows take megabytes.
      const command = `ulimit -f 200 && exec "$0" "$@"`;
      const args = ['-c', command, process.execPath, SCRIPT, packageUrl, 'fill', folder, '20000'];
      const { stdout } = await promisify(execFile)('/bin/sh', args);
      expect(JSON.parse(stdout)).toEqual({
        code: 'FILE_NOT_WRITABLE',
        message: expect.stringMatching(/^segment-2-[0-9a-f]{16}\.safetensors cannot be written: /),
        details: { file: expect.stringMatching(/^segment-2-/) },
      });
      expect(readdirSync(folder)).toEqual(before);
      expect((await FlatIndex.open(folder)).rows).toBe(500);
    },
    60_000,
  );
});
