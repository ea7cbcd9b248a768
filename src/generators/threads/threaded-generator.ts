import type { Passage } from '../../corpus/records.js';
import { pieces } from '../../threads/pieces.js';
import { type ThreadOptions, type ThreadTeam, teamOf } from '../../threads/thread-team.js';
import type { GeneratedAnswer, Generator } from '../generator.js';

/** Passages that a thread reads in one call, at most. */
const PASSAGES_PER_CALL = 8;

/**
 * A generator in threads: passages are divided among them, and answers are the same. A generator without a spec, and any in a
 * bundle, where a thread would not find the modules, works on the calling thread.
 */
export class ThreadedGenerator implements Generator, AsyncDisposable {
  readonly name: string;
  /** Threads at most; 0 where the generator works on the calling thread. */
  readonly threads: number;
  readonly #generator: Generator;
  readonly #team: ThreadTeam | undefined;

  /** @internal */
  constructor(generator: Generator, options: ThreadOptions) {
    const { name, spec } = generator;
    this.name = name;
    this.#generator = generator;
    this.#team = teamOf(spec, 'generators/threads/generator-service.js', { name }, options);
    this.threads = this.#team?.threads ?? 0;
  }

  /**
   * @throws GranuleError what the generator throws; `ABORTED`, `ENCODER_CLOSED`; `INTERNAL` or `OUT_OF_MEMORY` where a thread died,
   *   which the next call replaces; `INVALID_ARGUMENT` where the spec does not make such a generator
   */
  async generate(
    question: string,
    passages: readonly Passage[],
    options: { readonly signal?: AbortSignal } = {},
  ): Promise<GeneratedAnswer[][]> {
    const team = this.#team;
    if (team === undefined) return this.#generator.generate(question, passages, options);
    const answers = await team.callAll<readonly Passage[], GeneratedAnswer[][]>(
      'generate',
      pieces(passages, team.capacity, PASSAGES_PER_CALL),
      (some) => ({ question, passages: some }),
      options.signal,
    );
    return answers.flat();
  }

  /** Ends the threads; what runs and what is called afterwards rejects with `ENCODER_CLOSED`. */
  async close(): Promise<void> {
    await this.#team?.close();
  }

  /** As `close`, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/** A generator in threads. */
export function generatorInThreads(generator: Generator, options: ThreadOptions = {}): ThreadedGenerator {
  return new ThreadedGenerator(generator, options);
}
