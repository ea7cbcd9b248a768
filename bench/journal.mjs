import { appendFileSync, existsSync, readFileSync, rmSync, truncateSync } from 'node:fs';

/**
 * What a run has measured so far, line by line in a file beside its report, so that a run that was stopped can go on.
 *
 *     {"times": ..., "of": [workload, contender, threads]}     one round
 *     {"correct": ..., "of": ...}                              the verdict on the answers
 *     {"failed": "why", "of": ...}
 *
 * A last line that was cut off is taken away.
 */
export class Journal {
  #path;
  #cells = new Map();

  /** @param path of the file; what it holds is read */
  constructor(path) {
    this.#path = path;
    if (!existsSync(path)) return;
    const bytes = readFileSync(path);
    const whole = bytes.subarray(0, bytes.lastIndexOf(10) + 1);
    truncateSync(path, whole.length);
    for (const line of whole.toString('utf8').split('\n').slice(0, -1)) this.#take(JSON.parse(line));
  }

  /** Names of contenders and workloads with their rounds: `{ of, rounds: [times], correct, failed }`. */
  get cells() {
    return [...this.#cells.values()];
  }

  cell(of) {
    const key = JSON.stringify(of);
    if (!this.#cells.has(key)) {
      this.#cells.set(key, { of, rounds: [], correct: undefined, failed: undefined });
    }
    return this.#cells.get(key);
  }

  add(of, record) {
    const entry = { of, ...record };
    appendFileSync(this.#path, `${JSON.stringify(entry)}\n`);
    this.#take(entry);
  }

  /** Forgets everything. */
  clear() {
    this.#cells.clear();
    this.remove();
  }

  remove() {
    rmSync(this.#path, { force: true });
  }

  #take({ of, times, correct, failed }) {
    const cell = this.cell(of);
    if (times !== undefined) cell.rounds.push(times);
    if (correct !== undefined) cell.correct = correct;
    if (failed !== undefined) cell.failed = failed;
  }
}
