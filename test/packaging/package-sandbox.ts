import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join, relative, resolve } from 'node:path';

/** What a program printed and how it ended. */
export interface Outcome {
  status: number | null;
  stdout: string;
  stderr: string;
}

/** The package, packed and installed as a user installs it: in an empty project, with no compiler on the PATH. */
export interface PackageSandbox {
  /** The empty project. */
  readonly project: string;
  /** `node_modules/granule` in it. */
  readonly installed: string;
  readonly tarball: string;
  /** Why nothing could be installed, where the registry cannot be reached. */
  readonly unreachable: string | undefined;
  /** Runs a program in the project. */
  run(program: 'node' | 'npm' | 'npx', args: readonly string[], cwd?: string): Outcome;
  /** Writes a file into the project and runs it. */
  script(name: string, text: string, cwd?: string): Outcome;
  /** Every file of the installed package, by its path in it. */
  files(): string[];
  remove(): void;
}

/** Packs the package in this folder and installs it. Throws an Error with npm's output where that fails. */
export function packAndInstall(): PackageSandbox {
  const root = mkdtempSync(join(tmpdir(), 'granule-package-'));
  const project = join(root, 'project');
  const tools = join(root, 'bin');
  mkdirSync(project);
  mkdirSync(tools);
  linkTools(tools);
  writeFileSync(join(project, 'package.json'), '{ "name": "consumer", "private": true }\n');

  const packed = spawn('npm', ['pack', '--pack-destination', root], resolve('.'), process.env['PATH'] ?? '');
  if (packed.status !== 0) throw new Error(`npm pack failed\n${packed.stdout}${packed.stderr}`);
  const tarball = join(root, readdirSync(root).find((name) => name.endsWith('.tgz'))!);

  const run = (program: string, args: readonly string[], cwd = project) => spawn(program, args, cwd, tools);
  const install = run('npm', ['install', '--prefer-offline', '--no-audit', '--no-fund', tarball]);
  const offline = /ENOTFOUND|ECONNREFUSED|EAI_AGAIN|ETIMEDOUT|ENETUNREACH/.exec(install.stderr)?.[0];
  if (install.status !== 0 && offline === undefined) {
    throw new Error(`npm install failed\n${install.stdout}${install.stderr}`);
  }
  const installed = join(project, 'node_modules', 'granule');
  return {
    project,
    installed,
    tarball,
    unreachable: install.status === 0 ? undefined : `the npm registry cannot be reached (${offline})`,
    run,
    script: (name, text, cwd = project) => {
      writeFileSync(join(cwd, name), text);
      return run('node', [name], cwd);
    },
    files: () =>
      readdirSync(installed, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => relative(installed, join(entry.parentPath, entry.name)))
        .filter((file) => !file.startsWith('node_modules'))
        .sort(),
    remove: () => rmSync(root, { recursive: true, force: true }),
  };
}

/** A folder to be the whole PATH: Node, npm and a shell, and no compiler. */
function linkTools(folder: string): void {
  symlinkSync(process.execPath, join(folder, 'node'));
  for (const name of ['npm', 'npx', 'sh']) {
    const found = (process.env['PATH'] ?? '')
      .split(delimiter)
      .filter((candidate) => !candidate.endsWith('node-gyp-bin'))
      .flatMap((candidate) => {
        try {
          return [realpathSync(join(candidate, name))];
        } catch {
          return [];
        }
      })[0];
    if (found === undefined) throw new Error(`${name} is not on PATH`);
    if (name === 'sh') symlinkSync(found, join(folder, name));
    else wrap(join(folder, name), found);
  }
}

/** npm found through a link would look for its own modules beside the link. */
function wrap(file: string, program: string): void {
  writeFileSync(file, `#!/bin/sh\nexec "${join(dirname(file), 'node')}" "${program}" "$@"\n`);
  chmodSync(file, 0o755);
}

function spawn(program: string, args: readonly string[], cwd: string, path: string): Outcome {
  const { status, stdout, stderr, error } = spawnSync(program, args, {
    cwd,
    encoding: 'utf8',
    env: { ...outsideEnvironment(), PATH: path },
    timeout: 120_000,
  });
  if (error !== undefined) throw error;
  return { status, stdout, stderr };
}

/** The environment without what `npm test` adds about this package; where the registry is, and its cache, stay. */
function outsideEnvironment(): NodeJS.ProcessEnv {
  const kept = /^npm_config_(registry|cache|userconfig|cafile|proxy|https_proxy|nodedir)$/i;
  return Object.fromEntries(
    Object.entries(process.env).filter(
      ([name]) => kept.test(name) || !/^(npm_|INIT_CWD$|NODE_ENV$|NODE_OPTIONS$|VITEST|GRANULE_)/i.test(name),
    ),
  );
}
