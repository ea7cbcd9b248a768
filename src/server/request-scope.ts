import { GranuleError } from '../errors.js';
import type { Ticket } from './work-queue.js';

/** What belongs to one request: the signal that stops its work, its place in the queue, and when it came. */
export class RequestScope {
  /** Milliseconds of a clock that never goes back. */
  readonly start = performance.now();
  /** The request's place among those that were let in. */
  ticket: Ticket | undefined;
  /** Bytes of an image that came as a part of a form. */
  image: Uint8Array | undefined;
  /** Code of the error that was the reply. */
  code: string | undefined;
  readonly #controller = new AbortController();
  readonly #timer: NodeJS.Timeout;
  readonly #shutdown: AbortSignal;
  readonly #stop = () => this.#controller.abort(this.#shutdown.reason);

  /**
   * @param deadline - milliseconds after which the work is stopped with `DEADLINE_EXCEEDED`
   * @param shutdown - fires with `SHUTTING_DOWN` when the server will not wait any longer
   */
  constructor(deadline: number, shutdown: AbortSignal) {
    this.#shutdown = shutdown;
    this.#timer = setTimeout(() => {
      this.#controller.abort(
        new GranuleError('DEADLINE_EXCEEDED', `the request took longer than ${deadline / 1000} s`),
      );
    }, deadline);
    shutdown.addEventListener('abort', this.#stop, { once: true });
    if (shutdown.aborted) this.#stop();
  }

  /** Stops the request's work. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Frees what the request held, when its reply has gone out or nobody waits for it any more. */
  end(answered: boolean): void {
    clearTimeout(this.#timer);
    this.#shutdown.removeEventListener('abort', this.#stop);
    this.ticket?.leave();
    if (!answered) this.#controller.abort(new GranuleError('ABORTED', 'the client went away'));
  }
}
