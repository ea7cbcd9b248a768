import { type Logger, pino } from 'pino';

/** What the log says of a request; nothing of what was asked, unless that is wanted. */
export interface RequestLine {
  readonly request: string;
  readonly method: string;
  /** The route's pattern, never the address: ids are contents. */
  readonly route: string;
  readonly status: number;
  readonly milliseconds: number;
  /** Whether the client went away before the reply was out. */
  readonly aborted?: true;
  /** The error's code, where there was one. */
  readonly code?: string;
  readonly contents?: { readonly url: string; readonly body?: unknown };
}

/** One JSON line per request. */
export class RequestLog {
  readonly #logger: Logger;

  /** @param destination - default standard output */
  constructor(destination?: { write(line: string): void }) {
    const options = { base: null, timestamp: pino.stdTimeFunctions.isoTime };
    this.#logger = destination === undefined ? pino(options) : pino(options, destination);
  }

  /** Logs a request that has ended. */
  request(line: RequestLine): void {
    this.#logger.info(line, 'request');
  }

  /** Logs an event of the server's life. */
  event(message: string, facts: object = {}): void {
    this.#logger.info(facts, message);
  }

  /** Logs an error that is the server's fault, with its stack. */
  fault(error: unknown, request: string): void {
    this.#logger.error({ err: error, request }, 'fault');
  }
}
