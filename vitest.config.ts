import { readdirSync, readFileSync } from 'node:fs';
import { defineConfig } from 'vitest/config';

/**
 * What a test file may not do in a process that others use after it: replace modules and functions, change or measure the
 * process, start processes and threads of its own.
 */
const NEEDS_A_PROCESS = /\bvi\.|\bprocess\.|'node:(?:child_process|worker_threads)'|cli-process/;

const sharing = (readdirSync('test/unit', { recursive: true }) as string[])
  .filter((name) => name.endsWith('.test.ts'))
  .map((name) => `test/unit/${name}`)
  .filter((file) => !NEEDS_A_PROCESS.test(readFileSync(file, 'utf8')));

export default defineConfig({
  test: {
    globalSetup: ['test/global-setup.mjs'],
    pool: 'forks',
    // Many tests wait for processes of their own: one file per core, on two cores too.
    maxWorkers: '100%',
    // Far more than they take on a machine of their own: they may share one with compilers.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // A process and the modules of the package cost a small file more than its tests do.
    projects: [
      { extends: true, test: { name: 'alone', include: ['test/**/*.test.ts'], exclude: sharing } },
      { extends: true, test: { name: 'sharing', include: sharing, isolate: false } },
    ],
  },
});
