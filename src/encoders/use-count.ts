import { GranuleError } from '../errors.js';

/** Counts the uses of a query's memory, which is freed as soon as the query was released and no use of it runs any more. */
export class UseCount {
  readonly #free: () => void;
  #running = 0;
  #released = false;

  /** @param free - called once */
  constructor(free: () => void) {
    this.#free = free;
  }

  /** @throws GranuleError `INVALID_ARGUMENT` after `release`, and what `use` throws */
  async during<T>(use: () => T | Promise<T>): Promise<T> {
    if (this.#released) throw new GranuleError('INVALID_ARGUMENT', 'the query was released');
    this.#running += 1;
    try {
      return await use();
    } finally {
      this.#running -= 1;
      if (this.#released && this.#running === 0) this.#free();
    }
  }

  /** No use begins any more; again has no effect. */
  release(): void {
    if (this.#released) return;
    this.#released = true;
    if (this.#running === 0) this.#free();
  }
}
