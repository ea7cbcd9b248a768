import { createRequire } from 'node:module';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { GranuleError } from '../../errors.js';
import { createExitGate, releaseExitGate } from '../../native/exit-gate.js';
import packageRoot from '../../native/package-root.cjs';
import { databaseError, type ThreadError } from './database-error.js';
import { DATABASE_THREAD_SOURCE } from './database-thread-source.js';

/** What SQLite stores. */
export type SqlValue = string | number | null | Uint8Array;

/** One statement, or a script of several, for the database thread; see `database-thread-source.ts`. */
export type Step =
  | { readonly kind: 'exec'; readonly sql: string }
  | { readonly kind: 'all' | 'run'; readonly sql: string; readonly parameters: readonly SqlValue[] }
  | { readonly kind: 'many'; readonly sql: string; readonly parameters: readonly (readonly SqlValue[])[] }
  | {
      readonly kind: 'bits';
      readonly sql: string;
      readonly parameters: readonly SqlValue[];
      readonly bytes: number;
    };

type Reply = { id: number; results: unknown[] } | { id: number; error: ThreadError };

interface Call {
  readonly file: string;
  readonly doing: 'read' | 'write';
  resolve(results: unknown[]): void;
  reject(error: GranuleError): void;
}

/**
 * A thread that runs SQL, so that none runs on the JavaScript thread. Calls are answered in their order. It does not keep
 * the process alive while it has nothing to do.
 */
export class DatabaseThread {
  readonly #worker: Worker;
  readonly #calls = new Map<number, Call>();
  readonly #ended: Promise<void>;
  #nextCall = 0;
  #nextConnection = 0;
  #ending = false;
  #death: GranuleError | undefined;

  constructor() {
    const gate = createExitGate();
    this.#worker = new Worker(DATABASE_THREAD_SOURCE, {
      eval: true,
      workerData: { library: locateLibrary(), gate },
      // The worker's program is our own: flags such as --import of a test runner or tracer are not for it.
      execArgv: [],
    });
    this.#worker.unref();
    this.#worker.on('message', (reply: Reply) => this.#finish(reply));
    let problem: Error | undefined;
    this.#worker.on('error', (error) => {
      problem = error;
    });
    this.#ended = new Promise((resolve) => {
      this.#worker.on('exit', () => {
        releaseExitGate(gate);
        const why = problem === undefined ? '' : `: ${problem.message}`;
        this.#death = new GranuleError(
          this.#ending ? 'INDEX_DISPOSED' : 'INTERNAL',
          `the database thread has ended${why}`,
          {},
          { cause: problem },
        );
        for (const call of this.#calls.values()) call.reject(this.#death);
        this.#calls.clear();
        resolve();
      });
    });
  }

  /** Whether the thread can still be asked. */
  get alive(): boolean {
    return this.#death === undefined;
  }

  /**
   * Opens a connection, which lives as long as the thread.
   *
   * @param path - a file, or a URI that begins with `file:`
   * @param file - the file's name in errors
   * @param doing - what errors are taken to be about
   */
  async open(path: string, file: string, doing: 'read' | 'write'): Promise<Connection> {
    const connection = this.#nextConnection;
    this.#nextConnection += 1;
    await this.#call({ connection, open: path }, file, doing);
    return new Connection((steps) => this.#call({ connection, steps }, file, doing));
  }

  /** Takes back transactions that are open, closes all connections and ends the thread. */
  async end(): Promise<void> {
    if (this.#death === undefined) {
      this.#ending = true;
      this.#worker.ref();
      this.#worker.postMessage('end');
    }
    await this.#ended;
  }

  #call(message: object, file: string, doing: 'read' | 'write'): Promise<unknown[]> {
    if (this.#death !== undefined) return Promise.reject(this.#death);
    const id = this.#nextCall;
    this.#nextCall += 1;
    return new Promise((resolve, reject) => {
      this.#calls.set(id, { file, doing, resolve, reject });
      this.#worker.ref();
      this.#worker.postMessage({ id, ...message });
    });
  }

  #finish(reply: Reply): void {
    const { file, doing, resolve, reject } = this.#calls.get(reply.id)!;
    this.#calls.delete(reply.id);
    if (this.#calls.size === 0) this.#worker.unref();
    if ('error' in reply) reject(databaseError(file, doing, reply.error));
    else resolve(reply.results);
  }
}

/** A connection to a database, in a thread. */
export class Connection {
  readonly #run: (steps: readonly Step[]) => Promise<unknown[]>;

  constructor(run: (steps: readonly Step[]) => Promise<unknown[]>) {
    this.#run = run;
  }

  /** Runs steps one after the other, in one message; the first that fails ends them. */
  run(steps: readonly Step[]): Promise<unknown[]> {
    return this.#run(steps);
  }

  /** The rows of a query. */
  async all<Row>(sql: string, parameters: readonly SqlValue[] = []): Promise<Row[]> {
    const [rows] = await this.#run([{ kind: 'all', sql, parameters }]);
    return rows as Row[];
  }

  /** The numbers that a query gives as its column `row`, as a bitset of `bytes` bytes. */
  async bits(sql: string, parameters: readonly SqlValue[], bytes: number): Promise<Uint8Array> {
    const [bits] = await this.#run([{ kind: 'bits', sql, parameters, bytes }]);
    return bits as Uint8Array;
  }

  /** Runs a script of statements without parameters. */
  async exec(sql: string): Promise<void> {
    await this.#run([{ kind: 'exec', sql }]);
  }
}

/** libsql's entry file: beside this package, or beside the program where the package was bundled. */
function locateLibrary(): string {
  const failures: string[] = [];
  for (const folder of [packageRoot, process.cwd]) {
    try {
      return createRequire(join(folder(), 'package.json')).resolve('libsql');
    } catch (error) {
      failures.push((error as Error).message.split('\n', 1)[0]!);
    }
  }
  throw new GranuleError(
    'INTERNAL',
    `the package libsql, which stores corpora, was not found (${failures.join('; ')})`,
    { tried: failures },
  );
}
