/** Processes that are killed while they train: the next goes on, and the last has the bits of one that was never killed. */
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { buildPackage } from './built-package.js';

/** More with `GRANULE_TRAINING_KILLS=100 npm run test:ts -- test/runtime/training-crash.test.ts`. */
const KILLS = Number(process.env['GRANULE_TRAINING_KILLS'] ?? 4);
const STEPS = 90;

const root = mkdtempSync(path.join(tmpdir(), 'granule-crash-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** Trains until `last` events of new steps were seen, and kills the process then; resolves to whether it was killed. */
function train(packageUrl: string, name: string, last: number): Promise<{ killed: boolean; first: number }> {
  const script = path.join(import.meta.dirname, 'scripts', 'train-until-killed.mjs');
  const files = [path.join(root, `${name}.checkpoint`), path.join(root, `${name}.safetensors`)];
  const child = spawn(process.execPath, [script, packageUrl, ...files], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  return new Promise((resolve, reject) => {
    let errors = '';
    let first = 0;
    child.stderr.on('data', (text: Buffer) => {
      errors += text;
    });
    child.stdout.on('data', (text: Buffer) => {
      const step = Number(text.toString().trim().split('\n').at(-1));
      first ||= step;
      if (step >= last) child.kill('SIGKILL');
    });
    child.on('close', (status, signal) => {
      if (signal === 'SIGKILL') resolve({ killed: true, first });
      else if (status === 0) resolve({ killed: false, first });
      else reject(new Error(errors));
    });
  });
}

it('a run that is killed again and again ends with the bits of one that never was', {
  timeout: 120_000,
}, async () => {
  const packageUrl = await buildPackage('training-crash');
  expect(await train(packageUrl, 'whole', Number.POSITIVE_INFINITY)).toMatchObject({ killed: false });
  let killed = 0;
  for (let i = 1; i <= KILLS; i++) {
    const run = await train(packageUrl, 'killed', Math.ceil((i * STEPS) / (KILLS + 2)));
    if (run.killed) killed += 1;
    expect(existsSync(path.join(root, 'killed.safetensors'))).toBe(!run.killed);
  }
  expect(killed).toBeGreaterThan(0);
  expect(existsSync(path.join(root, 'killed.checkpoint'))).toBe(true);
  expect(await train(packageUrl, 'killed', Number.POSITIVE_INFINITY)).toMatchObject({ killed: false });
  const adapter = (name: string) => readFileSync(path.join(root, `${name}.safetensors`));
  expect(adapter('killed').equals(adapter('whole'))).toBe(true);
  const checkpoint = (name: string) => readFileSync(path.join(root, `${name}.checkpoint`));
  expect(checkpoint('killed').equals(checkpoint('whole'))).toBe(true);
});
