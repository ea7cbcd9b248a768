/**
 * Runs the TypeScript tests and closes with one line `TypeScript tests: N passed, N failed`.
 *
 *     node scripts/test-ts.mjs [file or folder ...] [any option of vitest]
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runCommand } from './run-command.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const require = createRequire(import.meta.url);

/** @returns {Promise<{ passed: number, failed: number, skipped: number }>} */
export async function testTypescript(args) {
  const folder = mkdtempSync(join(tmpdir(), 'granule-tests-'));
  try {
    const report = join(folder, 'report.json');
    const vitest = join(dirname(require.resolve('vitest/package.json')), 'vitest.mjs');
    const options = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
    const { code } = await runCommand(process.execPath, [vitest, 'run', ...options, ...args], {
      cwd: root,
      echo: true,
    });
    return counts(readReport(report), code);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function readReport(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return { numPassedTests: 0, numFailedTests: 0, numPendingTests: 0, numTodoTests: 0, testResults: [] };
  }
}

function counts(report, code) {
  // A file that cannot be loaded has no tests to fail, and still is a failure.
  const brokenFiles = report.testResults.filter(
    ({ status, assertionResults }) =>
      status === 'failed' && !assertionResults.some((test) => test.status === 'failed'),
  ).length;
  const failed = report.numFailedTests + brokenFiles;
  return {
    passed: report.numPassedTests,
    failed: code !== 0 && failed === 0 ? 1 : failed,
    skipped: report.numPendingTests + report.numTodoTests,
  };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { passed, failed, skipped } = await testTypescript(process.argv.slice(2));
  if (skipped > 0) console.log(`TypeScript tests: ${skipped} skipped`);
  console.log(`TypeScript tests: ${passed} passed, ${failed} failed`);
  if (failed > 0) process.exitCode = 1;
}
