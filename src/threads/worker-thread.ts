import { Worker } from 'node:worker_threads';
import { GranuleError } from '../errors.js';
import moduleUrl from './module-url.cjs';
import { type FromThread, fromSentError, type ThreadData, type ToThread } from './thread-messages.js';
import type { ThreadSpec } from './thread-spec.js';

/** What a thread serves. */
export interface ThreadDuty {
  readonly spec: ThreadSpec;
  /** The module whose `serve` makes the service, as for `moduleUrl`. */
  readonly service: string;
  /** What the service must say of itself. */
  readonly identity: Readonly<Record<string, string | number>>;
}

/**
 * MiB of a thread's young generation at most. V8 lets it grow to 48 where much of it happens to survive, thread by thread, and seldom
 * takes that back; calls are short, and little of what they make survives them.
 */
const YOUNG_GENERATION = 6;

interface Call {
  resolve(result: unknown): void;
  reject(error: unknown): void;
}

/** URL of the thread's program, or undefined where it is not there, as in a bundle. */
export function threadProgram(): string | undefined {
  return moduleUrl('threads/thread-program.js');
}

/**
 * One thread that serves calls, from its start to its end. It keeps the process alive only while a call runs. When it ends
 * unexpectedly, its calls reject with `INTERNAL`, or `OUT_OF_MEMORY` where that was the reason.
 */
export class WorkerThread {
  readonly #worker: Worker;
  readonly #calls = new Map<number, Call>();
  readonly #ended: Promise<void>;
  readonly #name: string;
  #nextCall = 0;
  #end: unknown;

  readonly #onChange: () => void;

  /** @param onChange - called when a call has been answered, and when the thread has ended */
  constructor({ spec, service, identity }: ThreadDuty, onChange: () => void) {
    this.#onChange = onChange;
    const data = { program: threadProgram()!, service: moduleUrl(service)!, spec } satisfies ThreadData;
    this.#name = spec.export;
    this.#worker = new Worker(new URL('thread-main.cjs', data.program.replace(/[^/]*$/, '')), {
      workerData: data,
      // The thread's program is our own: flags such as --import of a test runner or tracer are not for it.
      execArgv: [],
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_GENERATION },
    });
    this.#worker.unref();
    let problem: Error | undefined;
    this.#worker.on('error', (error: Error) => {
      problem = error;
    });
    this.#worker.on('message', (message: FromThread) => {
      if ('call' in message) this.#settle(message);
      else if ('failed' in message) this.#fail(fromSentError(message.failed));
      else if (JSON.stringify(message.identity) !== JSON.stringify(identity)) {
        this.#fail(
          new GranuleError(
            'INVALID_ARGUMENT',
            `the spec of ${identity['name']} makes something else: ${JSON.stringify(message.identity)}`,
          ),
        );
      }
    });
    this.#ended = new Promise((resolve) => {
      this.#worker.on('exit', (exitCode) => {
        this.#fail(this.#deathError(exitCode, problem));
        resolve();
      });
    });
  }

  /** Calls that have not been answered. */
  get running(): number {
    return this.#calls.size;
  }

  /** Whether it serves no more. */
  get hasEnded(): boolean {
    return this.#end !== undefined;
  }

  /**
   * Calls a method of the service.
   *
   * @param transfer - memory of `argument` that is handed over
   * @param signal - an abort rejects at once; the thread is told to stop
   * @param unclaimed - gets a result that comes although the call was aborted
   */
  async call(
    method: string,
    argument: unknown,
    transfer: readonly ArrayBuffer[],
    signal: AbortSignal | undefined,
    unclaimed: (result: unknown) => void = () => undefined,
  ): Promise<unknown> {
    if (signal?.aborted) throw abortedError(signal);
    if (this.#end !== undefined) throw this.#end;
    const id = this.#nextCall++;
    // First, for it throws where the argument cannot be cloned.
    this.#post({ call: id, method, argument }, transfer);
    const settled = new Promise((resolve, reject) => this.#calls.set(id, { resolve, reject }));
    if (this.#calls.size === 1) this.#worker.ref();
    if (signal === undefined) return settled;
    let abort = () => {};
    const aborted = new Promise<never>((_, reject) => {
      abort = () => {
        this.#post({ abort: id });
        reject(abortedError(signal));
      };
    });
    signal.addEventListener('abort', abort, { once: true });
    try {
      return await Promise.race([settled, aborted]);
    } catch (error) {
      settled.then(unclaimed, () => undefined);
      throw error;
    } finally {
      signal.removeEventListener('abort', abort);
    }
  }

  /** Ends the thread now; its calls reject with `error`. */
  async end(error: unknown): Promise<void> {
    this.#fail(error);
    // Whoever awaits the end must live to see it.
    this.#worker.ref();
    await this.#worker.terminate();
    await this.#ended;
  }

  #post(message: ToThread, transfer: readonly ArrayBuffer[] = []): void {
    this.#worker.postMessage(message, transfer);
  }

  #settle(message: Extract<FromThread, { call: number }>): void {
    const call = this.#calls.get(message.call);
    this.#calls.delete(message.call);
    if (this.#calls.size === 0) this.#worker.unref();
    if ('error' in message) call?.reject(fromSentError(message.error));
    else call?.resolve(message.result);
    this.#onChange();
  }

  /** Nothing more is expected of the thread. */
  #fail(error: unknown): void {
    if (this.#end !== undefined) return;
    this.#end = error;
    for (const call of this.#calls.values()) call.reject(error);
    this.#calls.clear();
    this.#worker.unref();
    void this.#worker.terminate();
    this.#onChange();
  }

  #deathError(exitCode: number, problem: Error | undefined): GranuleError {
    const outOfMemory = (problem as NodeJS.ErrnoException | undefined)?.code === 'ERR_WORKER_OUT_OF_MEMORY';
    return new GranuleError(
      outOfMemory ? 'OUT_OF_MEMORY' : 'INTERNAL',
      `a thread of ${this.#name} ended unexpectedly (exit code ${exitCode}` +
        `${problem === undefined ? '' : `: ${problem.message}`}); the next call starts a new one`,
      { exitCode },
      { cause: problem },
    );
  }
}

function abortedError(signal: AbortSignal): GranuleError {
  return new GranuleError('ABORTED', 'the call was aborted', {}, { cause: signal.reason });
}
