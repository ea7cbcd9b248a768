/**
 * Runs one program and keeps what it prints, so that a build is silent while all is well and complete when it fails.
 */
import { spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/**
 * @param {string} program
 * @param {readonly string[]} args
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv, echo?: boolean }} [options] `echo` also passes the output on as it comes
 * @returns {Promise<{ code: number, output: string }>} code 127 where the program could not be started
 */
export function runCommand(program, args, options = {}) {
  return new Promise((resolve) => {
    const child = spawn(program, args, {
      cwd: options.cwd,
      env: options.env ?? process.env,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const pieces = [];
    const keep = (stream) => (piece) => {
      pieces.push(piece);
      if (options.echo) stream.write(piece);
    };
    child.stdout.on('data', keep(process.stdout));
    child.stderr.on('data', keep(process.stderr));
    const output = () => Buffer.concat(pieces).toString('utf8');
    child.on('error', (error) => resolve({ code: 127, output: `${output()}${error.message}\n` }));
    child.on('close', (code, signal) => {
      const ending = signal === null ? '' : `${program} was ended by ${signal}\n`;
      resolve({ code: code ?? 1, output: output() + ending });
    });
  });
}

/** The first of `names` that can be run from PATH, or undefined. */
export function findProgram(...names) {
  for (const name of names) {
    for (const folder of (process.env['PATH'] ?? '').split(delimiter)) {
      const candidate = join(folder, process.platform === 'win32' ? `${name}.exe` : name);
      try {
        accessSync(candidate, constants.X_OK);
        return candidate;
      } catch {
        // Not in this folder.
      }
    }
  }
  return undefined;
}
