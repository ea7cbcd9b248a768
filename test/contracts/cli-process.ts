import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath, pathToFileURL } from 'node:url';

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

/** A process that runs command lines one after the other, outside of any terminal: sooner than a process each. */
export class CommandProcess {
  readonly #child: ReturnType<typeof spawnNode>;
  readonly #lines: AsyncIterator<string>;

  constructor() {
    const script = join(root, 'test', 'contracts', 'scripts', 'run-commands.mjs');
    this.#child = spawnNode([script, pathToFileURL(join(dirname(CLI), 'run-cli.js')).href], root, 'pipe');
    let said = '';
    this.#child.stderr.on('data', (text) => {
      said += text;
    });
    this.#lines = (async function* (input: Readable) {
      yield* createInterface({ input });
      throw new Error(`the process of the command lines has ended\n${said}`);
    })(this.#child.stdout);
  }

  /** Runs `granule` with these arguments once those given before have ended. */
  granule(args: readonly string[], { cwd = root }: { readonly cwd?: string } = {}): Promise<Ended> {
    return this.run(['granule', ...args], cwd);
  }

  /** Runs `words`: `granule` with its arguments, or `node` and a file. */
  async run(words: readonly string[], cwd: string): Promise<Ended> {
    this.#child.stdin!.write(`${JSON.stringify([cwd, ...words])}\n`);
    return JSON.parse((await this.#lines.next()).value as string) as Ended;
  }

  /** Ends the process. */
  end(): void {
    this.#child.stdin!.end();
  }
}

/**
 * Runs command lines, one after the other, in one process.
 *
 * @param commands - words: `granule` with its arguments, or `node` and a file
 * @param cwd - the folder that they run in; the package's own by default
 */
export async function commandsInOneProcess(commands: readonly (readonly string[])[], cwd: string = root) {
  const commandProcess = new CommandProcess();
  try {
    return await Promise.all(commands.map((words) => commandProcess.run(words, cwd)));
  } finally {
    commandProcess.end();
  }
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
  const { cwd = root, env, input = false } = options;
  return spawnNode([CLI, ...args], cwd, input ? 'pipe' : 'ignore', env);
}

function spawnNode(
  args: readonly string[],
  cwd: string,
  input: 'pipe' | 'ignore',
  env: object = {},
): ChildProcessByStdio<Writable | null, Readable, Readable> {
  return spawn(process.execPath, args, {
    cwd,
    env: { ...process.env, ...env },
    stdio: [input, 'pipe', 'pipe'],
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
