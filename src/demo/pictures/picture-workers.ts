import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { type ErrorCode, type ErrorDetails, GranuleError } from '../../errors.js';
import type { AblationAnswer } from '../ablation/ablation-table.js';
import type { CountryQuestion } from '../countries/country-questions.js';
import type { DemoEvaluation } from '../evaluate-demo.js';
import type { PictureSource } from './picture-source.js';

/** A question about a picture. */
export interface PictureTask {
  readonly question: CountryQuestion;
  readonly picture: PictureSource;
  /** Whether the systems of the ablation are asked too, where there are towers; false by default. */
  readonly ablation?: boolean;
}

/** What a worker is started with. */
export interface PictureWorkerData {
  /** Of the corpus. */
  readonly folder: string;
  /** Files that `writeCountryTowers` wrote, one per seed; undefined: nothing that was learned is measured. */
  readonly towers: readonly string[] | undefined;
}

/** What was found out with a task. */
export interface TaskResult {
  /** Of the four systems; undefined where the picture shows several flags. */
  readonly evaluation: DemoEvaluation | undefined;
  /** Of the systems that learned. */
  readonly ablation: AblationAnswer | undefined;
}

/** What a worker sends back for a task. */
export type PictureOutcome =
  | { readonly result: TaskResult }
  | { readonly error: { readonly message: string; readonly code: string; readonly details: object } };

/** Options of {@link evaluateInWorkers}. */
export interface EvaluateInWorkersOptions {
  /** Files of towers whose systems are asked too, one per seed. */
  readonly towers?: readonly string[];
  readonly signal?: AbortSignal;
  /** Called after each task. */
  readonly onProgress?: (done: number, all: number) => void;
}

/** Above this many threads the memory of their copies of the corpus outweighs the speed. */
const MOST_WORKERS = 8;

/**
 * Evaluates every task by itself on as many threads as there are cores; each thread opens the corpus.
 *
 * @returns what was found out, in the order of the tasks, so that what is computed from them does not depend on the threads
 * @throws GranuleError `ABORTED`, and the first error of a task
 */
export async function evaluateInWorkers(
  corpusFolder: string,
  tasks: readonly PictureTask[],
  { towers, signal, onProgress }: EvaluateInWorkersOptions = {},
): Promise<TaskResult[]> {
  const results: TaskResult[] = new Array(tasks.length);
  const count = Math.min(availableParallelism(), MOST_WORKERS, tasks.length);
  const workerData: PictureWorkerData = { folder: corpusFolder, towers };
  const workers = Array.from(
    { length: count },
    () => new Worker(new URL('./picture-worker.js', import.meta.url), { workerData }),
  );
  let next = 0;
  let done = 0;
  let onAbort: (() => void) | undefined;
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () =>
      reject(new GranuleError('ABORTED', 'the evaluation was aborted', {}, { cause: signal?.reason }));
    if (signal?.aborted) onAbort();
    else signal?.addEventListener('abort', onAbort);
  });
  const work = async (worker: Worker) => {
    while (next < tasks.length) {
      const place = next;
      next += 1;
      results[place] = await outcomeOf(worker, tasks[place]!);
      done += 1;
      onProgress?.(done, tasks.length);
    }
  };
  try {
    await Promise.race([Promise.all(workers.map(work)), aborted]);
    return results;
  } finally {
    signal?.removeEventListener('abort', onAbort!);
    await Promise.all(workers.map(endOf));
  }
}

/** Ends a thread once it has answered what it was asked. */
function endOf(worker: Worker): Promise<void> {
  const ended = new Promise<void>((resolve) => worker.once('exit', () => resolve()));
  // One that has ended already has no thread number, and no more events.
  if (worker.threadId === -1) return Promise.resolve();
  worker.postMessage('close');
  return ended;
}

function outcomeOf(worker: Worker, task: PictureTask): Promise<TaskResult> {
  return new Promise((resolve, reject) => {
    const settle = (end: () => void) => {
      worker.off('message', onMessage).off('error', onError).off('exit', onExit);
      end();
    };
    const onMessage = (outcome: PictureOutcome) => {
      if ('result' in outcome) return settle(() => resolve(outcome.result));
      const { message, code, details } = outcome.error;
      settle(() => reject(new GranuleError(code as ErrorCode, message, details as ErrorDetails)));
    };
    const onError = (error: Error) => settle(() => reject(error));
    const onExit = () =>
      settle(() => reject(new GranuleError('INTERNAL', 'a thread of the evaluation ended early')));
    worker.on('message', onMessage).on('error', onError).on('exit', onExit);
    worker.postMessage(task);
  });
}
