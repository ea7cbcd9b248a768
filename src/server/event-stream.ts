import { PassThrough, type Readable } from 'node:stream';

/**
 * A reply of server-sent events. While nothing else is sent a comment goes out at intervals, so that neither side nor
 * what lies between takes the connection for dead.
 */
export class EventStream {
  readonly #stream = new PassThrough();
  readonly #timer: NodeJS.Timeout;

  /** @param heartbeat - milliseconds between two comments */
  constructor(heartbeat: number) {
    this.#timer = setInterval(() => this.#write(': still at work\n\n'), heartbeat);
    this.#stream.once('close', () => clearInterval(this.#timer));
    this.#write(': open\n\n');
  }

  /** What is sent. */
  get readable(): Readable {
    return this.#stream;
  }

  /** Sends one event; `data` becomes one line of JSON. */
  send(event: string, data: unknown): void {
    this.#write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
  }

  /** Ends the stream after what was sent. */
  end(): void {
    clearInterval(this.#timer);
    this.#stream.end();
  }

  #write(text: string): void {
    if (!this.#stream.destroyed && !this.#stream.writableEnded) this.#stream.write(text);
  }
}
