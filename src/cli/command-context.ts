import { ProgressLine } from './progress-line.js';

/** What a command may use of the process that runs it. */
export interface CommandContext {
  /** Aborted by Ctrl-C, by SIGTERM, and when nobody reads the output any more. */
  readonly signal: AbortSignal;
  /** Whether results may be coloured: standard output is a terminal and NO_COLOR is unset. */
  readonly colour: boolean;
  /** Shows progress on a terminal's standard error, and nothing elsewhere. */
  readonly progress: ProgressLine;
  /** Says that the command did all it had to, although it was interrupted: a server that was told to stop has stopped. */
  doneWhenInterrupted(): void;
  /** What is said of an interruption. */
  readonly interruption: string;
  /** Adds to it what can be done now. */
  adviseInterrupted(advice: string): void;
  /** Writes one line or several to standard output. */
  print(text: string): void;
  /** Writes one line to standard error, under the same form as errors: `granule: <message> [<code>]`. */
  complain(message: string, code: string): void;
  /** Gives the process the exit status of an error, for a command that has said itself what is wrong. */
  fail(): void;
  /** Whether `fail` was called. */
  readonly failed: boolean;
}

/** The context of this process. */
export function processContext(signal: AbortSignal, doneWhenInterrupted: () => void): CommandContext {
  const { stdout, stderr, env } = process;
  const progress = new ProgressLine(stderr, stderr.isTTY === true);
  let failed = false;
  let interruption = 'interrupted';
  return {
    signal,
    colour: stdout.isTTY === true && !env['NO_COLOR'] && env['TERM'] !== 'dumb',
    progress,
    doneWhenInterrupted,
    get interruption() {
      return interruption;
    },
    adviseInterrupted(advice) {
      interruption = `interrupted; ${advice}`;
    },
    print(text) {
      progress.clear();
      stdout.write(`${text}\n`);
    },
    complain(message, code) {
      progress.clear();
      stderr.write(`granule: ${message.trim().replace(/\s*\n\s*/g, '; ')} [${code}]\n`);
    },
    fail() {
      failed = true;
    },
    get failed() {
      return failed;
    },
  };
}
