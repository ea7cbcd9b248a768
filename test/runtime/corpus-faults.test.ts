/** Disks that are full, break, or forbid writing: a corpus reports it, stays whole, and goes on. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Corpus } from '../../src/index.js';
import { buildPackage, runScript } from './built-package.js';
// @ts-expect-error: a script, which child processes run as it is
import * as changes from './scripts/corpus-changes.mjs';

const root = mkdtempSync(path.join(tmpdir(), 'granule-corpus-faults-'));
const library = path.join(root, 'failing-writes.so');
const pictures = path.join(root, 'pictures');
/** Every how many writes fail; `GRANULE_CORPUS_FAULT_STEP=1` lets each fail in turn, in some minutes. */
const STEP = Number(process.env['GRANULE_CORPUS_FAULT_STEP'] ?? 16);

const mount = path.join(root, 'disk');

let packageUrl = '';

const hasCompiler = process.platform === 'linux' && spawnSync('cc', ['--version']).status === 0;
if (!hasCompiler) console.log('SKIPPED faults of the disk: they need Linux and a C compiler named cc');

mkdirSync(mount);
const hasDisk =
  process.platform === 'linux' &&
  spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'granule', mount]).status === 0;
if (!hasDisk) console.log('SKIPPED a disk that is really full: it needs Linux and the right to mount one');

beforeAll(async () => {
  changes.writePictures(pictures);
  packageUrl = await buildPackage('corpus-faults');
  if (!hasCompiler) return;
  const source = path.join(import.meta.dirname, 'scripts', 'failing-writes.c');
  execFileSync('cc', ['-O1', '-shared', '-fPIC', '-o', library, source, '-ldl']);
}, 120_000);
afterAll(() => {
  if (hasDisk) spawnSync('umount', ['-l', mount]);
  rmSync(root, { recursive: true, force: true });
});

interface Found {
  readonly faults: Readonly<Record<string, number>>;
  readonly errors: Readonly<Record<string, number>>;
  readonly wrong: readonly string[];
}

describe.runIf(hasCompiler)('a corpus on a disk', () => {
  it.each([
    ['that is full from some write on', 'full', constants.errno.ENOSPC, 1_000_000],
    ['that fails once', 'broken', constants.errno.EIO, 1],
  ])('%s stays whole, whichever write fails', { timeout: 180_000 }, async (_, name, errno, times) => {
    const kb = path.join(root, name);
    const env = { LD_PRELOAD: library, GRANULE_FAULT_FOLDER: kb };
    const args = [packageUrl, kb, pictures, STEP, 'writes', errno, times].map(String);
    const { faults, wrong } = await runScript<Found>('corpus-faults.mjs', args, { env });
    console.log(`${name}: ${JSON.stringify(faults)}`);
    expect(wrong).toEqual([]);
    // Each kind of change writes a dozen times and more; fewer faults would mean that they are not reached.
    for (const [kind, count] of Object.entries(faults)) expect(count * STEP, kind).toBeGreaterThan(10);
  });

  it('that forbids writing can be read where the corpus was closed', { timeout: 60_000 }, async () => {
    const kb = path.join(root, 'read-only');
    const corpus = await Corpus.create(kb, changes.cheapEncoders(), { journalBytes: 0 });
    await corpus.ingest(changes.entityNumbers().map((entity: number) => changes.lineOf(pictures, entity, 1)));
    await corpus.close();
    const before = readdirSync(kb, { recursive: true });
    const env = { LD_PRELOAD: library, GRANULE_FAULT_FOLDER: kb, GRANULE_FAULT_READ_ONLY: '1' };
    const found = await runScript<object>('corpus-reader.mjs', [packageUrl, kb], { env });
    expect(found).toEqual({ entities: 12, ok: true, put: 'FILE_NOT_WRITABLE' });
    expect(readdirSync(kb, { recursive: true })).toEqual(before);
  });
});

describe.runIf(hasDisk)('a corpus on a small disk', () => {
  it('stays whole, however little is left when a change begins', { timeout: 180_000 }, async () => {
    const args = [packageUrl, path.join(mount, 'kb'), pictures, STEP, 'filled', mount].map(String);
    const { faults, errors, wrong } = await runScript<Found>('corpus-faults.mjs', args);
    console.log(`filled: ${JSON.stringify(faults)}, errors: ${JSON.stringify(errors)}`);
    expect(wrong).toEqual([]);
    for (const [kind, count] of Object.entries(errors)) expect(count, kind).toBeGreaterThan(0);
  });
});
