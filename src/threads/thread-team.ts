import { availableParallelism } from 'node:os';
import { GranuleError } from '../errors.js';
import { copiedOver } from './handed-over.js';
import type { ThreadSpec } from './thread-spec.js';
import { type ThreadDuty, threadProgram, WorkerThread } from './worker-thread.js';

/** How many threads to use. */
export interface ThreadOptions {
  /** Threads at most, each started when it is first needed; default: one less than there are cores, at least 1. */
  readonly threads?: number | undefined;
}

/** Calls that a thread is given at once: the next one waits there while it works on the first. */
const CALLS_PER_THREAD = 2;

interface Waiting {
  start(thread: WorkerThread): void;
  reject(error: unknown): void;
}

/** Options of a call. */
interface CallOptions {
  readonly signal?: AbortSignal | undefined;
  /** Memory of the argument that is handed over. */
  readonly transfer?: readonly ArrayBuffer[];
  /** Gets an answer that comes although the call was aborted. */
  readonly unclaimed?: (answer: Answered<unknown>) => void;
}

/** An answer, and the thread that gave it. */
export interface Answered<T> {
  readonly value: T;
  readonly thread: WorkerThread;
}

/** The default number of threads, or the one that was asked for. @throws GranuleError `INVALID_ARGUMENT` */
function threadCount({ threads = Math.max(1, availableParallelism() - 1) }: ThreadOptions): number {
  if (!Number.isSafeInteger(threads) || threads < 1) {
    throw new GranuleError('INVALID_ARGUMENT', `threads must be a positive integer, got ${threads}`, {
      threads,
    });
  }
  return threads;
}

/** Threads for a spec, or none where there is no spec or no program for them. @throws GranuleError `INVALID_ARGUMENT` */
export function teamOf(
  spec: ThreadSpec | undefined,
  service: string,
  identity: ThreadDuty['identity'],
  options: ThreadOptions,
): ThreadTeam | undefined {
  threadCount(options);
  if (spec === undefined || threadProgram() === undefined) return undefined;
  return new ThreadTeam({ spec, service, identity }, options);
}

/**
 * Threads that all serve the same. Calls go to them in their order, to an idle thread first; a thread that ends is replaced
 * when it is needed. Nothing here keeps the process alive while no call runs.
 */
export class ThreadTeam {
  /** Threads at most. */
  readonly threads: number;
  readonly #duty: ThreadDuty;
  readonly #team = new Set<WorkerThread>();
  readonly #waiting: Waiting[] = [];
  #preparation: { readonly method: string; readonly argument: unknown } | undefined;
  #closed: Promise<void> | undefined;

  /** @throws GranuleError `INVALID_ARGUMENT` */
  constructor(duty: ThreadDuty, options: ThreadOptions) {
    this.#duty = duty;
    this.threads = threadCount(options);
  }

  /** Calls that are worth making before the first is answered. */
  get capacity(): number {
    return this.threads * CALLS_PER_THREAD;
  }

  /**
   * Calls a method of the service on whichever thread is free.
   *
   * @throws GranuleError `ABORTED`, at once; `ENCODER_CLOSED`; `INTERNAL` or `OUT_OF_MEMORY` where the thread died; and what the
   *   method throws
   */
  async call<T>(
    method: string,
    argument: unknown,
    { signal, transfer = [], unclaimed }: CallOptions = {},
  ): Promise<Answered<T>> {
    if (this.#closed !== undefined) throw this.#closedError();
    return new Promise((resolve, reject) => {
      const abort = () => {
        const at = this.#waiting.indexOf(waiting);
        this.#waiting.splice(at, 1);
        reject(new GranuleError('ABORTED', 'the call was aborted', {}, { cause: signal!.reason }));
      };
      const waiting: Waiting = {
        start: (thread) => {
          signal?.removeEventListener('abort', abort);
          thread
            .call(method, argument, transfer, signal, (value) => unclaimed?.({ value, thread }))
            .then((value) => resolve({ value: value as T, thread }), reject);
        },
        reject: (error) => {
          signal?.removeEventListener('abort', abort);
          reject(error);
        },
      };
      this.#waiting.push(waiting);
      if (signal?.aborted) return abort();
      signal?.addEventListener('abort', abort, { once: true });
      this.#next();
    });
  }

  /**
   * Calls a method once for each of `parts`, `capacity` of them at a time.
   *
   * @param argumentOf - made just before the call; its arrays stay the caller's
   * @returns the results in the order of `parts`
   * @throws as `call`; of several errors that of the first part
   */
  async callAll<Part, T>(
    method: string,
    parts: readonly Part[],
    argumentOf: (part: Part) => unknown,
    signal: AbortSignal | undefined,
  ): Promise<T[]> {
    const results: T[] = new Array(parts.length);
    let next = 0;
    const failures: { readonly at: number; readonly error: unknown }[] = [];
    const work = async () => {
      while (next < parts.length && failures.length === 0) {
        const at = next++;
        try {
          const { value, transfer } = copiedOver(argumentOf(parts[at]!));
          results[at] = (await this.call<T>(method, value, { signal, transfer })).value;
        } catch (error) {
          failures.push({ at, error });
        }
      }
    };
    await Promise.all(Array.from({ length: Math.min(this.capacity, parts.length) }, work));
    const [first] = failures.sort((a, b) => a.at - b.at);
    if (first !== undefined) throw first.error;
    return results;
  }

  /** A call that every thread gets before all others, those that run already included. */
  prepare(method: string, argument: unknown): void {
    this.#preparation = { method, argument };
    for (const thread of this.#team) this.#prepareThread(thread);
  }

  /** A call that every running thread gets, and whose answer nobody waits for. */
  tell(method: string, argument: unknown): void {
    for (const thread of this.#team) thread.call(method, argument, [], undefined).catch(() => undefined);
  }

  /** Ends all threads; their calls, and those that wait, reject with `ENCODER_CLOSED`. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    const error = this.#closedError();
    for (const { reject } of this.#waiting.splice(0)) reject(error);
    await Promise.all([...this.#team].map((thread) => thread.end(error)));
  }

  /** Gives waiting calls to threads that can take them. */
  #next(): void {
    while (this.#waiting.length > 0) {
      let thread: WorkerThread | undefined;
      try {
        thread = this.#freeThread();
      } catch (error) {
        this.#waiting.shift()!.reject(error);
        continue;
      }
      if (thread === undefined) return;
      this.#waiting.shift()!.start(thread);
    }
  }

  /** An idle thread, else a new one, else the least busy one that has room. */
  #freeThread(): WorkerThread | undefined {
    let least: WorkerThread | undefined;
    for (const thread of this.#team) {
      if (thread.hasEnded) this.#team.delete(thread);
      else if (least === undefined || thread.running < least.running) least = thread;
    }
    if (least?.running === 0) return least;
    if (this.#team.size < this.threads) return this.#start();
    return least!.running < CALLS_PER_THREAD ? least : undefined;
  }

  #start(): WorkerThread {
    const thread = new WorkerThread(this.#duty, () => this.#next());
    this.#team.add(thread);
    this.#prepareThread(thread);
    return thread;
  }

  #prepareThread(thread: WorkerThread): void {
    if (this.#preparation === undefined || thread.hasEnded) return;
    const { method, argument } = this.#preparation;
    // What fails here fails the calls that follow: they find an object that is not prepared.
    thread.call(method, argument, [], undefined).catch(() => undefined);
  }

  #closedError(): GranuleError {
    return new GranuleError('ENCODER_CLOSED', `the threads of ${this.#duty.spec.export} were closed`);
  }
}
