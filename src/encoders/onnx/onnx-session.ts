import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { Worker } from 'node:worker_threads';
import { GranuleError } from '../../errors.js';
import { createExitGate, releaseExitGate } from '../../native/exit-gate.js';
import { locateOnnxRuntime } from './onnx-runtime-location.js';
import { ONNX_WORKER_SOURCE } from './onnx-worker-source.js';

/** A dense tensor in row-major order. */
export interface OnnxTensor {
  readonly type: string;
  readonly data: Float32Array | BigInt64Array | Int32Array;
  readonly dims: readonly number[];
}

/** What a model says about one input or output; a dimension is a number, or a name where it is free. */
export interface OnnxValueInfo {
  readonly name: string;
  readonly isTensor: boolean;
  readonly type?: string;
  readonly shape?: readonly (number | string)[];
}

/** How a model is run. */
export interface OnnxSessionOptions {
  /** Most threads that one operator uses; default: the runtime's own choice, one per physical core. */
  readonly threads?: number;
  /** Execution providers of the runtime in order of preference; default `['cpu']`. */
  readonly executionProviders?: readonly string[];
  /** Where `onnxruntime-node` lies (folder or entry file); default: found like any other package. */
  readonly runtime?: string;
}

interface Call {
  readonly id: number;
  readonly feeds: Readonly<Record<string, OnnxTensor>>;
  readonly fetches: readonly string[];
  resolve(outputs: Record<string, OnnxTensor>): void;
  reject(error: GranuleError): void;
}

type WorkerMessage =
  | { ready: { inputs: OnnxValueInfo[]; outputs: OnnxValueInfo[] } }
  | { failed: 'runtime' | 'model'; message: string }
  | { id: number; outputs: Record<string, OnnxTensor> }
  | { id: number; message: string };

/**
 * One ONNX model, loaded and run by `onnxruntime-node` in a worker thread of its own, because the runtime's `run` blocks
 * the thread that calls it. Calls are queued and run one at a time. An idle session does not keep the process alive.
 *
 * A worker that ends unexpectedly fails the call that it was running with `INTERNAL` (`OUT_OF_MEMORY` where that was the
 * reason); the next call starts a new one. Whoever runs this inside of a worker thread of his own must close the session
 * before he terminates that thread: the native runtime aborts the process when it is stopped in the middle of a run.
 */
export class OnnxSession {
  readonly file: string;
  inputs: readonly OnnxValueInfo[] = [];
  outputs: readonly OnnxValueInfo[] = [];
  readonly #runtime: string;
  readonly #options: object;
  readonly #queue: Call[] = [];
  #worker: Worker | undefined;
  #running: Call | undefined;
  #ended: Promise<void> = Promise.resolve();
  #nextId = 0;
  #closed = false;

  /**
   * Loads a model.
   *
   * @param file - path of an `.onnx` file; external data lies beside it
   * @throws GranuleError `FILE_NOT_FOUND`, `MODEL_RUNTIME_MISSING`, `MODEL_INVALID`
   */
  static async open(file: string, options: OnnxSessionOptions = {}): Promise<OnnxSession> {
    const path = resolve(file);
    const found = await stat(path).catch(() => undefined);
    if (found === undefined)
      throw new GranuleError('FILE_NOT_FOUND', `no such model file: ${path}`, { file: path });
    if (!found.isFile()) throw new GranuleError('MODEL_INVALID', `not a file: ${path}`, { file: path });
    const session = new OnnxSession(path, options);
    await session.#start();
    return session;
  }

  private constructor(file: string, options: OnnxSessionOptions) {
    const { threads } = options;
    if (threads !== undefined && (!Number.isSafeInteger(threads) || threads < 1)) {
      throw new GranuleError('INVALID_ARGUMENT', `threads must be a positive integer, got ${threads}`, {
        threads,
      });
    }
    this.file = file;
    this.#runtime = locateOnnxRuntime(options.runtime);
    this.#options = {
      executionProviders: options.executionProviders ?? ['cpu'],
      // Fatal ones only: every other error reaches the caller as an exception, not as a line on the server's stderr.
      logSeverityLevel: 4,
      ...(threads === undefined ? {} : { intraOpNumThreads: threads }),
    };
  }

  /**
   * Runs the model. The buffers of `feeds` are handed to the worker and cannot be used afterwards.
   *
   * An abort rejects at once; the run under way, if any, ends in the worker and its result is dropped.
   *
   * @param fetches - names of the outputs that are wanted
   * @throws GranuleError `ABORTED`, `ENCODER_CLOSED` after `close`, `MODEL_INVALID` where the model refuses its input,
   * `INTERNAL` or `OUT_OF_MEMORY` where the worker died
   */
  async run(
    feeds: Readonly<Record<string, OnnxTensor>>,
    fetches: readonly string[],
    signal?: AbortSignal,
  ): Promise<Record<string, OnnxTensor>> {
    if (signal?.aborted) throw abortedError(signal);
    if (this.#closed) throw this.#closedError();
    return new Promise((resolveRun, rejectRun) => {
      const onAbort = () => {
        const waiting = this.#queue.indexOf(call);
        if (waiting >= 0) this.#queue.splice(waiting, 1);
        rejectRun(abortedError(signal!));
      };
      const call: Call = {
        id: this.#nextId++,
        feeds,
        fetches,
        resolve: (outputs) => {
          signal?.removeEventListener('abort', onAbort);
          resolveRun(outputs);
        },
        reject: (error) => {
          signal?.removeEventListener('abort', onAbort);
          rejectRun(error);
        },
      };
      signal?.addEventListener('abort', onAbort, { once: true });
      this.#queue.push(call);
      this.#next();
    });
  }

  /** Frees the model. Waiting calls fail with `ENCODER_CLOSED`; the run under way ends first. */
  async close(): Promise<void> {
    if (this.#closed) return this.#ended;
    this.#closed = true;
    for (const call of this.#queue.splice(0)) call.reject(this.#closedError());
    // Whoever awaits the end must live to see it.
    this.#worker?.ref();
    if (this.#running === undefined) this.#worker?.postMessage('close');
    await this.#ended;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Starts the worker; resolves when the model is loaded. */
  #start(): Promise<void> {
    const gate = createExitGate();
    const worker = new Worker(ONNX_WORKER_SOURCE, {
      eval: true,
      workerData: { runtime: this.#runtime, model: this.file, options: this.#options, gate },
      // The worker's program is our own: flags such as --import of a test runner or tracer are not for it.
      execArgv: [],
    });
    this.#worker = worker;
    let problem: Error | undefined;
    return new Promise((resolveStart, rejectStart) => {
      worker.on('message', (message: WorkerMessage) => {
        if ('ready' in message) {
          this.inputs = message.ready.inputs;
          this.outputs = message.ready.outputs;
          worker.unref();
          resolveStart();
        } else if ('failed' in message) {
          // It ends by itself; a call that comes before it has ended must not go to it.
          this.#worker = undefined;
          rejectStart(this.#loadError(message.failed, message.message));
        } else {
          this.#finish(message);
        }
      });
      worker.on('error', (error: Error) => {
        problem = error;
      });
      this.#ended = new Promise((resolveEnd) => {
        worker.on('exit', (exitCode) => {
          releaseExitGate(gate);
          resolveEnd();
          if (this.#worker !== worker) return;
          this.#worker = undefined;
          const error = this.#deathError(exitCode, problem);
          rejectStart(error);
          this.#running?.reject(error);
          this.#running = undefined;
          this.#next();
        });
      });
    });
  }

  /** Hands the first waiting call to the worker, unless it is at work. */
  #next(): void {
    if (this.#running !== undefined) return;
    const call = this.#queue.shift();
    if (call === undefined) {
      this.#worker?.unref();
      return;
    }
    this.#running = call;
    if (this.#worker === undefined) {
      this.#start().then(
        () => this.#post(call),
        (error: GranuleError) => {
          call.reject(error);
          if (this.#running !== call) return;
          this.#running = undefined;
          this.#next();
        },
      );
    } else {
      this.#post(call);
    }
  }

  #post({ id, feeds, fetches }: Call): void {
    const worker = this.#worker!;
    worker.ref();
    const buffers = Object.values(feeds).map((tensor) => tensor.data.buffer as ArrayBuffer);
    worker.postMessage({ id, feeds, fetches }, buffers);
  }

  #finish(
    message: { id: number; outputs: Record<string, OnnxTensor> } | { id: number; message: string },
  ): void {
    const call = this.#running!;
    this.#running = undefined;
    if ('outputs' in message) call.resolve(message.outputs);
    else {
      call.reject(
        new GranuleError(
          'MODEL_INVALID',
          `the model ${this.file} could not be run: ${message.message.trim()}`,
          {
            file: this.file,
          },
        ),
      );
    }
    if (this.#closed) this.#worker?.postMessage('close');
    else this.#next();
  }

  #loadError(failed: 'runtime' | 'model', reason: string): GranuleError {
    if (failed === 'model') {
      return new GranuleError('MODEL_INVALID', `the model ${this.file} cannot be loaded: ${reason.trim()}`, {
        file: this.file,
      });
    }
    return new GranuleError(
      'MODEL_RUNTIME_MISSING',
      `onnxruntime-node was found (${this.#runtime}) but does not load on this machine: ${reason.trim()}. ` +
        'Install it again: npm install onnxruntime-node',
      { package: 'onnxruntime-node', runtime: this.#runtime },
    );
  }

  #deathError(exitCode: number, problem: Error | undefined): GranuleError {
    const outOfMemory = (problem as NodeJS.ErrnoException | undefined)?.code === 'ERR_WORKER_OUT_OF_MEMORY';
    return new GranuleError(
      outOfMemory ? 'OUT_OF_MEMORY' : 'INTERNAL',
      `the worker thread of the model ${this.file} ended unexpectedly (exit code ${exitCode}` +
        `${problem === undefined ? '' : `: ${problem.message}`}); the next call starts a new one`,
      { file: this.file, exitCode },
      { cause: problem },
    );
  }

  #closedError(): GranuleError {
    return new GranuleError('ENCODER_CLOSED', `the model ${this.file} was closed`, { file: this.file });
  }
}

function abortedError(signal: AbortSignal): GranuleError {
  return new GranuleError('ABORTED', 'encoding was aborted', {}, { cause: signal.reason });
}
