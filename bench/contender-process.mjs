import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { findProgram } from '../scripts/run-command.mjs';
import { queryCount } from './workloads.mjs';

const CHILD = fileURLToPath(new URL('child.mjs', import.meta.url));

/** A contender at work in a process of its own; see child.mjs for what it is told and what it answers. */
export class ContenderProcess {
  #child;
  #replies;
  #output = '';
  #ended;

  /**
   * @param contender from the list
   * @param task `{ workloads, dataset, threads }`
   * @param cpuFeatures of this processor
   */
  constructor(contender, task, cpuFeatures) {
    const rotations = task.workloads.map(queryCount);
    const request = JSON.stringify({ contender: contender.name, rotations, ...task });
    const [program, args] = contender.program?.(request) ?? [process.execPath, [CHILD, request]];
    const [first, ...rest] = [...holdToCores(contender, task.threads), program, ...args];
    this.#child = spawn(first, rest, {
      stdio: ['pipe', 'pipe', 'pipe', 'pipe'],
      env: { ...process.env, ...contender.environment?.(task.threads, cpuFeatures) },
    });
    const keep = (piece) => {
      this.#output = (this.#output + piece).slice(-4000);
    };
    this.#child.stdout.on('data', keep);
    this.#child.stderr.on('data', keep);
    // A process that has ended cannot be written to; what it said is in the reply that fails.
    this.#child.stdin.on('error', () => undefined);
    this.#ended = new Promise((resolve) => {
      this.#child.on('error', (error) => resolve(error.message));
      this.#child.on('close', (code, signal) => resolve(signal ?? `status ${code}`));
    });
    this.#replies = createInterface({ input: this.#child.stdio[3] })[Symbol.asyncIterator]();
  }

  /** What it says once it has read the vectors. */
  async opened(seconds) {
    return this.#reply(seconds);
  }

  async ask(command, seconds) {
    this.#child.stdin.write(`${JSON.stringify(command)}\n`);
    return this.#reply(seconds);
  }

  async end() {
    if (this.#child.exitCode === null) this.#child.stdin.end('{"do":"end"}\n');
    await this.#ended;
  }

  async #reply(seconds) {
    let timer;
    const late = new Promise((resolve) => {
      timer = setTimeout(() => resolve('late'), seconds * 1000);
    });
    const reply = await Promise.race([this.#replies.next(), late]);
    clearTimeout(timer);
    if (reply === 'late') {
      this.#child.kill('SIGKILL');
      await this.#ended;
      throw new Error(`did not answer within ${seconds} s`);
    }
    if (!reply.done) return JSON.parse(reply.value);
    const ending = await this.#ended;
    throw new Error(`ended (${ending}): ${lastWords(this.#output)}`);
  }
}

/** The words before a program, on Linux, that give it so many cores and no more. */
function holdToCores(contender, threads) {
  const taskset = contender.cores ? findProgram('taskset') : undefined;
  return taskset === undefined ? [] : [taskset, '-c', `0-${threads - 1}`];
}

/** The line that names the error, of whatever a runtime prints when it fails. */
function lastWords(output) {
  const lines = output.split('\n').filter((line) => line.trim() !== '');
  const line = lines.findLast((text) => /error/i.test(text)) ?? lines.at(-1) ?? 'it said nothing';
  return line.trim().slice(0, 300);
}
