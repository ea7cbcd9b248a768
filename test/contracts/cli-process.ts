import { type ChildProcessByStdio, execFile, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/** The built command line; `npm ci` and `npm run build:ts` make it. */
export const CLI = join(root, 'dist', 'esm', 'cli', 'main.js');

/** What a process left behind. */
export interface Ended {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `granule` with these arguments, outside of any terminal. */
export async function granule(
  args: readonly string[],
  options: { readonly cwd?: string; readonly env?: object } = {},
) {
  return ended(start(args, options));
}

/**
 * Runs command lines, one after the other, in one process outside of any terminal: sooner than a process each.
 *
 * @param commands - words: `granule` with its arguments, or `node` and a file
 * @param cwd - the folder that they run in; the package's own by default
 */
export async function commandsInOneProcess(commands: readonly (readonly string[])[], cwd: string = root) {
  const script = join(root, 'test', 'contracts', 'scripts', 'run-commands.mjs');
  const runCli = pathToFileURL(join(dirname(CLI), 'run-cli.js')).href;
  const { stdout } = await promisify(execFile)(process.execPath, [script, runCli, JSON.stringify(commands)], {
    cwd,
  });
  return JSON.parse(stdout) as Ended[];
}

/** As `commandsInOneProcess`, of commands with names: the arguments of `granule`, and by the same names what each left behind. */
export async function granuleInOneProcess<Name extends string>(
  commands: Readonly<Record<Name, readonly string[]>>,
): Promise<Record<Name, Ended>> {
  const names = Object.keys(commands) as Name[];
  const all = await commandsInOneProcess(names.map((name) => ['granule', ...commands[name]]));
  return Object.fromEntries(names.map((name, place) => [name, all[place]!])) as Record<Name, Ended>;
}

/** Starts `granule` and leaves it running; with `input` its standard input is a pipe. */
export function start(
  args: readonly string[],
  options: { readonly cwd?: string; readonly env?: object; readonly input?: boolean } = {},
): ChildProcessByStdio<Writable | null, Readable, Readable> {
  if (!existsSync(CLI)) throw new Error(`${CLI} is missing: run npm run build:ts`);
  return spawn(process.execPath, [CLI, ...args], {
    cwd: options.cwd ?? root,
    env: { ...process.env, ...options.env },
    stdio: [options.input ? 'pipe' : 'ignore', 'pipe', 'pipe'],
  }) as ChildProcessByStdio<Writable | null, Readable, Readable>;
}

/** Waits for a process that `start` started. */
export function ended(child: ReturnType<typeof start>): Promise<Ended> {
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text) => {
    stderr += text;
  });
  return new Promise((resolve) => child.on('close', (status) => resolve({ status, stdout, stderr })));
}
