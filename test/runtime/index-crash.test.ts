/** Processes that are killed while they save an index: the folder opens to the state before the save, or after it. */
import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FlatIndex, MultiVectorIndex } from '../../src/index.js';
import { buildPackage } from './built-package.js';
// @ts-expect-error: a script, which child processes run as it is
import { change, fingerprint, seriesOptions } from './scripts/index-states.mjs';

/** More with `GRANULE_INDEX_KILLS=200 npm run test:ts -- test/runtime/index-crash.test.ts`: some minute on two cores. */
const KILLS = Number(process.env['GRANULE_INDEX_KILLS'] ?? 20);
const AT_ONCE = 2;
/** Longest time that a process lives after its first save, in ms: some fifty saves. */
const LONGEST_LIFE = 150;

let packageUrl = '';
const root = mkdtempSync(path.join(tmpdir(), 'granule-crash-'));
beforeAll(async () => {
  packageUrl = await buildPackage('index-crash');
}, 120_000);
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** Runs a process until it is killed; resolves to the number of changes whose save it reported. */
function saveUntilKilled(folder: string, series: number, life: number): Promise<number> {
  const script = path.join(import.meta.dirname, 'scripts', 'save-until-killed.mjs');
  const child = spawn(process.execPath, [script, packageUrl, folder, String(series)], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  return new Promise((resolve, reject) => {
    let saved = 0;
    let errors = '';
    child.stderr.on('data', (text: Buffer) => {
      errors += text;
    });
    child.stdout.on('data', (text: Buffer) => {
      if (saved === 0) setTimeout(() => child.kill('SIGKILL'), life);
      saved = Number(text.toString().trim().split('\n').at(-1));
    });
    child.on('close', (_, signal) => {
      if (signal === 'SIGKILL') resolve(saved);
      else reject(new Error(`the process ended by itself: ${errors}`));
    });
  });
}

/** The fingerprints of the states after `changes` changes, and after one more. */
async function statesAround(series: number, changes: number): Promise<string[]> {
  const { documents, options } = seriesOptions(series);
  const index = new (documents ? MultiVectorIndex : FlatIndex)(options);
  for (let n = 0; n < changes; n++) await change(index, series, n);
  const before = await fingerprint(index);
  await change(index, series, changes);
  const states = [before, await fingerprint(index)];
  index.dispose();
  return states;
}

describe('an index whose process is killed while it saves', () => {
  it(`opens to the state before or after, ${KILLS} times`, { timeout: 300_000 }, async () => {
    const seen = { before: 0, after: 0 };
    let next = 0;
    const worker = async () => {
      while (next < KILLS) {
        const series = next++;
        const folder = path.join(root, String(series));
        const saved = await saveUntilKilled(folder, series, (LONGEST_LIFE * ((series * 37) % 100)) / 100);
        const [before, after] = await statesAround(series, saved);
        const kind = seriesOptions(series).documents ? MultiVectorIndex : FlatIndex;
        const opened = await kind.open(folder, { mmap: series % 2 === 1, threads: 1 });
        const found = await fingerprint(opened);
        expect([before, after], `series ${series}, ${saved} changes saved`).toContain(found);
        seen[found === before ? 'before' : 'after']++;

        // The folder is whole again after the next save: nothing of the killed one is left in it.
        await change(opened, series, 0);
        await opened.save(folder);
        const reopened = await kind.open(folder, { threads: 1 });
        expect(await fingerprint(reopened)).toBe(await fingerprint(opened));
        const saveAgain = path.join(root, `${series}-again`);
        await reopened.save(saveAgain);
        expect(readdirSync(folder).filter((name) => name.includes('tmp'))).toEqual([]);
        opened.dispose();
        reopened.dispose();
        rmSync(folder, { recursive: true });
        rmSync(saveAgain, { recursive: true });
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, worker));
    // Kills that never hit a save in the making would prove nothing.
    expect(seen.before + seen.after).toBe(KILLS);
    expect(seen.before).toBeGreaterThan(0);
    console.log(`${KILLS} kills: ${seen.before} opened to the state before, ${seen.after} to the one after`);
  });
});
