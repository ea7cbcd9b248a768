import { GranuleError } from '../../errors.js';
import { pieces } from '../../threads/pieces.js';
import { type ThreadOptions, type ThreadTeam, teamOf } from '../../threads/thread-team.js';
import type { WorkerThread } from '../../threads/worker-thread.js';
import type {
  DivisibleTextEncoder,
  EncodeOptions,
  FittedTextEncoder,
  TextEmbeddings,
  TextEncoder,
} from '../encoder.js';
import { joinTextEmbeddings } from './join-embeddings.js';
import { textIdentity } from './text-encoder-service.js';

/** Texts that a thread encodes in one call, at most: some milliseconds for the built-in encoder. */
const TEXTS_PER_CALL = 64;
/** Passages that a thread learns from in one call. */
const PASSAGES_PER_CALL = 128;

/**
 * A text encoder in threads: batches are divided among them, and vectors are the same bits in the same order. An encoder
 * without a spec, and any in a bundle, where a thread would not find the modules, works on the calling thread.
 */
export class ThreadedTextEncoder implements TextEncoder, AsyncDisposable {
  readonly name: string;
  readonly version: string;
  readonly dimension: number;
  /** Threads at most; 0 where the encoder works on the calling thread. */
  readonly threads: number;
  /** @internal */
  protected readonly encoder: TextEncoder;
  /** @internal */
  protected readonly team: ThreadTeam | undefined;

  /** @internal */
  constructor(encoder: TextEncoder, options: ThreadOptions) {
    const { name, version, dimension, spec } = encoder;
    this.name = name;
    this.version = version;
    this.dimension = dimension;
    this.encoder = encoder;
    this.team = teamOf(spec, 'encoders/threads/text-encoder-service.js', textIdentity(encoder), options);
    this.threads = this.team?.threads ?? 0;
  }

  /**
   * @throws GranuleError what the encoder throws; `ABORTED`, `ENCODER_CLOSED`; `INTERNAL` or `OUT_OF_MEMORY` where a thread died,
   *   which the next call replaces; `INVALID_ARGUMENT` where the spec does not make such an encoder
   */
  encodeQueries(texts: readonly string[], options: EncodeOptions = {}): Promise<TextEmbeddings> {
    return this.#encode('encodeQueries', texts, options);
  }

  /** @throws GranuleError as `encodeQueries` */
  encodePassages(texts: readonly string[], options: EncodeOptions = {}): Promise<TextEmbeddings> {
    return this.#encode('encodePassages', texts, options);
  }

  /** Ends the threads; what runs and what is called afterwards rejects with `ENCODER_CLOSED`. */
  async close(): Promise<void> {
    await this.team?.close();
  }

  /** As `close`, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #encode(
    method: 'encodeQueries' | 'encodePassages',
    texts: readonly string[],
    options: EncodeOptions,
  ): Promise<TextEmbeddings> {
    const { team } = this;
    if (team === undefined) return this.encoder[method](texts, options);
    const found = await team.callAll<readonly string[], TextEmbeddings>(
      method,
      pieces(texts, team.capacity, TEXTS_PER_CALL),
      (some) => ({ texts: some }),
      options.signal,
    );
    return joinTextEmbeddings(found);
  }
}

/** A text encoder in threads that learns from passages, there too where the encoder is a `DivisibleTextEncoder`. */
export class FittedThreadedTextEncoder extends ThreadedTextEncoder implements FittedTextEncoder {
  declare protected readonly encoder: FittedTextEncoder;
  #fits = 0;
  /** What the threads have learned; the encoder itself may have learned something else. */
  #state: Uint8Array | undefined;

  /** @internal */
  constructor(encoder: FittedTextEncoder, options: ThreadOptions) {
    super(encoder, options);
    const state = stateOf(encoder);
    if (state !== undefined) this.#share(state);
  }

  /**
   * Learns from the whole corpus, and replaces what was learned before. Passages may come as they are read: no more of them
   * are asked for than the threads can take.
   *
   * @throws GranuleError `INVALID_ARGUMENT` where there is no passage, and as `encodeQueries`
   */
  async fit(
    passages: Iterable<string> | AsyncIterable<string>,
    { signal }: EncodeOptions = {},
  ): Promise<void> {
    const { team, encoder } = this;
    if (team === undefined || !isDivisible(encoder)) {
      const all: string[] = [];
      for await (const passage of passages) all.push(passage);
      await encoder.fit(all);
      this.#share(encoder.state());
      return;
    }
    const parts = await this.#learn(team, passages, signal);
    if (parts.length === 0) {
      throw new GranuleError('INVALID_ARGUMENT', 'a text encoder cannot be fitted to no passages');
    }
    const { value } = await team.call<Uint8Array>('fitParts', parts, {
      signal,
      transfer: parts.map(({ buffer }) => buffer as ArrayBuffer),
    });
    this.#share(value);
  }

  /** @throws GranuleError as the encoder's own, before the first fit or restore */
  state(): Uint8Array {
    return this.#state !== undefined ? new Uint8Array(this.#state) : this.encoder.state();
  }

  /** @throws GranuleError as the encoder's own, where the state is not one of its */
  restore(state: Uint8Array): void {
    this.encoder.restore(state);
    this.#share(state);
  }

  /** What each thread has learned from its share. */
  async #learn(
    team: ThreadTeam,
    passages: Iterable<string> | AsyncIterable<string>,
    signal: AbortSignal | undefined,
  ): Promise<Uint8Array[]> {
    const fit = this.#fits++;
    const learned = new Set<WorkerThread>();
    const running = new Set<Promise<void>>();
    const failures: unknown[] = [];
    const learn = (some: readonly string[]) => {
      const call = team
        .call('learn', { fit, passages: some }, { signal })
        .then(
          ({ thread }) => void learned.add(thread),
          (error: unknown) => void failures.push(error),
        )
        .finally(() => running.delete(call));
      running.add(call);
    };
    try {
      let some: string[] = [];
      for await (const passage of passages) {
        some.push(passage);
        if (some.length < PASSAGES_PER_CALL) continue;
        if (running.size >= team.capacity) await Promise.race(running);
        if (failures.length > 0) break;
        learn(some);
        some = [];
      }
      if (some.length > 0 && failures.length === 0) learn(some);
      await Promise.all(running);
      if (failures.length > 0) throw failures[0];
      return (await Promise.all(
        [...learned].map((thread) => thread.call('part', fit, [], signal)),
      )) as Uint8Array[];
    } catch (error) {
      await Promise.all(running);
      team.tell('forget', fit);
      throw error;
    }
  }

  /** In shared memory: every thread reads the same copy. */
  #share(state: Uint8Array): void {
    if (this.team === undefined) return;
    const shared = new Uint8Array(new SharedArrayBuffer(state.length));
    shared.set(state);
    this.#state = shared;
    this.team.prepare('restore', shared);
  }
}

/** A text encoder in threads; what was given to it is to be used through the result from now on. */
export function textEncoderInThreads(
  encoder: FittedTextEncoder,
  options?: ThreadOptions,
): FittedThreadedTextEncoder;
export function textEncoderInThreads(encoder: TextEncoder, options?: ThreadOptions): ThreadedTextEncoder;
export function textEncoderInThreads(encoder: TextEncoder, options: ThreadOptions = {}): ThreadedTextEncoder {
  return isFitted(encoder)
    ? new FittedThreadedTextEncoder(encoder, options)
    : new ThreadedTextEncoder(encoder, options);
}

function isFitted(encoder: TextEncoder): encoder is FittedTextEncoder {
  return 'fit' in encoder && typeof encoder.fit === 'function';
}

function isDivisible(encoder: FittedTextEncoder): encoder is DivisibleTextEncoder {
  return 'fitParts' in encoder && typeof encoder.fitParts === 'function';
}

/** Undefined where nothing was learned yet. */
function stateOf(encoder: FittedTextEncoder): Uint8Array | undefined {
  try {
    return encoder.state();
  } catch (error) {
    if (error instanceof GranuleError && error.code === 'INVALID_ARGUMENT') return undefined;
    throw error;
  }
}
