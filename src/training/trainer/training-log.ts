import { once } from 'node:events';
import { createWriteStream, type WriteStream } from 'node:fs';
import { GranuleError } from '../../errors.js';

/**
 * Writes what happens in a run to a file, one JSON object per line:
 *
 *     {"type":"step","step":1,"epoch":1,"loss":...,"learningRate":...,"gradientNorm":...,"temperature":...}
 *     {"type":"evaluation","step":0,"epoch":0,"measures":{...},"best":true}
 *
 * There are no times in it: a run that was killed and went on leaves the file that one which was never killed leaves.
 */
export class TrainingLog {
  readonly #stream: WriteStream;
  readonly #file: string;
  #failed: Error | undefined;

  private constructor(file: string) {
    this.#file = file;
    this.#stream = createWriteStream(file);
    this.#stream.on('error', (error) => {
      this.#failed ??= error;
    });
  }

  /** @throws GranuleError `FILE_NOT_WRITABLE` */
  static async open(file: string): Promise<TrainingLog> {
    const log = new TrainingLog(file);
    await once(log.#stream, 'open').catch((error: Error) => {
      throw log.#unwritable(error);
    });
    return log;
  }

  /** Writes one line. Errors are kept until `close`. */
  add(event: object): void {
    this.#stream.write(`${JSON.stringify(event)}\n`);
  }

  /** @throws GranuleError `FILE_NOT_WRITABLE` where a line could not be written */
  async close(): Promise<void> {
    if (this.#failed === undefined) {
      this.#stream.end();
      await once(this.#stream, 'close').catch((error: Error) => {
        this.#failed ??= error;
      });
    }
    if (this.#failed !== undefined) throw this.#unwritable(this.#failed);
  }

  #unwritable(cause: Error): GranuleError {
    return new GranuleError(
      'FILE_NOT_WRITABLE',
      `${this.#file} cannot be written: ${cause.message}`,
      { file: this.#file },
      { cause },
    );
  }
}
