/** Shortest time between two drawings, in milliseconds. */
const INTERVAL = 100;

interface Terminal {
  readonly columns?: number;
  write(text: string): unknown;
}

/**
 * One line at the foot of a terminal that says how far a long task is: count, rate, share, time left. It is drawn at
 * most ten times a second and wiped before anything else is written.
 */
export class ProgressLine {
  readonly #terminal: Terminal;
  readonly #enabled: boolean;
  readonly #now: () => number;
  #task: string | undefined;
  #began: Place = { now: 0, done: 0, fraction: 0 };
  #drawn = Number.NEGATIVE_INFINITY;
  #visible = false;

  /**
   * @param enabled - false draws nothing: the output is not a terminal
   * @param now - milliseconds of a clock that never goes back
   */
  constructor(terminal: Terminal, enabled: boolean, now: () => number = () => performance.now()) {
    this.#terminal = terminal;
    this.#enabled = enabled;
    this.#now = now;
  }

  /**
   * Tells how far a task is; a task with another name starts anew. Rate and time left are counted from where it was first told of, so that what was
   * done before, by a run that goes on, say, makes neither look better.
   *
   * @param done - items done
   * @param fraction - share of the task that is done, 0 to 1, where it is known
   * @param note - what else is to be said at the end of the line
   */
  update(task: string, done: number, fraction?: number, note?: string): void {
    if (!this.#enabled) return;
    const now = this.#now();
    if (task !== this.#task) {
      this.#task = task;
      this.#began = { now, done, fraction: fraction ?? 0 };
      this.#drawn = Number.NEGATIVE_INFINITY;
    }
    if (now - this.#drawn < INTERVAL) return;
    this.#drawn = now;
    const count = describe(task, done, fraction, now, this.#began);
    const line = note === undefined ? count : `${count} · ${note}`;
    // Some terminals do not know their width and say 0.
    const width = (this.#terminal.columns || 80) - 1;
    this.#terminal.write(`\r\x1b[2K${line.slice(0, Math.max(1, width))}`);
    this.#visible = true;
  }

  /** Wipes the line. */
  clear(): void {
    if (!this.#visible) return;
    this.#terminal.write('\r\x1b[2K');
    this.#visible = false;
    this.#drawn = Number.NEGATIVE_INFINITY;
  }
}

/** Where a task was first told of. */
interface Place {
  /** Milliseconds. */
  readonly now: number;
  readonly done: number;
  readonly fraction: number;
}

function describe(
  task: string,
  done: number,
  fraction: number | undefined,
  now: number,
  began: Place,
): string {
  const parts = [`${task} ${grouped(done)}`];
  const seconds = (now - began.now) / 1000;
  if (seconds > 0 && done > began.done) {
    const rate = (done - began.done) / seconds;
    parts.push(`${rate < 10 ? rate.toFixed(1) : grouped(Math.round(rate))}/s`);
  }
  if (fraction !== undefined) {
    parts.push(`${Math.floor(fraction * 100)} %`);
    const progress = fraction - began.fraction;
    if (progress > 0 && seconds > 0) parts.push(`${clock((seconds / progress) * (1 - fraction))} left`);
  }
  return parts.join(' · ');
}

function grouped(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, ',');
}

function clock(seconds: number): string {
  const whole = Math.ceil(seconds);
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor(whole / 60) % 60;
  const two = (n: number) => String(n).padStart(2, '0');
  return hours > 0 ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`;
}
