/**
 * The package as JavaScript, for processes and worker threads that cannot load TypeScript.
 *
 * @module
 */
import { execFile } from 'node:child_process';
import { copyFileSync, cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';

export const ROOT = path.resolve(import.meta.dirname, '../..');
const run = promisify(execFile);

/**
 * dist/esm where it is what src/ says; otherwise src/ compiled into a folder of its own.
 *
 * @param name - of that folder; one per test file, for they run at the same time
 * @returns the URL of index.js
 */
export async function buildPackage(name: string): Promise<string> {
  const { typescriptIsCurrent } = await import(
    pathToFileURL(path.join(ROOT, 'scripts', 'build-ts.mjs')).href
  );
  const folder = typescriptIsCurrent()
    ? path.join(ROOT, 'dist', 'esm')
    : await compile(path.join(ROOT, 'build', 'test-packages', name));
  return pathToFileURL(path.join(folder, 'index.js')).href;
}

async function compile(folder: string): Promise<string> {
  rmSync(folder, { recursive: true, force: true });
  const require = createRequire(import.meta.url);
  const tsc = path.join(path.dirname(require.resolve('typescript/package.json')), 'bin', 'tsc');
  await run(process.execPath, [tsc, '-p', 'tsconfig.esm.json', '--noCheck', '--outDir', folder], {
    cwd: ROOT,
  });
  for (const file of ['native/package-root.cjs', 'threads/module-url.cjs', 'threads/thread-main.cjs']) {
    copyFileSync(path.join(ROOT, 'src', file), path.join(folder, file));
  }
  return folder;
}

/**
 * Copies a built package and the addon to `folder`, as a second installation.
 *
 * @returns the URL of its index.js
 */
export function copyPackage(builtIndex: string, folder: string): string {
  cpSync(path.dirname(new URL(builtIndex).pathname), path.join(folder, 'dist'), { recursive: true });
  writeFileSync(
    path.join(folder, 'package.json'),
    '{ "name": "granule", "version": "0.0.0", "type": "module" }',
  );
  mkdirSync(path.join(folder, 'build', 'Release'), { recursive: true });
  copyFileSync(
    path.join(ROOT, 'build', 'Release', 'granule.node'),
    path.join(folder, 'build', 'Release', 'granule.node'),
  );
  // The dependencies stay where they are.
  writeFileSync(path.join(folder, 'dist', 'package.json'), '{ "type": "module" }');
  return pathToFileURL(path.join(folder, 'dist', 'index.js')).href;
}

/**
 * Runs `scripts/<script>` in a process of its own. It must end with status 0 and print one line of JSON.
 *
 * @param options.flags - of Node
 * @param options.env - beside that of this process
 * @throws Error with the script's output where it ends otherwise, a crash included
 */
export async function runScript<T>(
  script: string,
  args: readonly string[],
  options: { flags?: readonly string[]; env?: Record<string, string> } = {},
): Promise<T> {
  const file = path.join(import.meta.dirname, 'scripts', script);
  const { stdout } = await run(process.execPath, [...(options.flags ?? []), file, ...args], {
    env: { ...process.env, ...options.env },
  });
  return JSON.parse(stdout) as T;
}
