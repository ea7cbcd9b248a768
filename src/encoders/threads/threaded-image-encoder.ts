import { copiedOver } from '../../threads/handed-over.js';
import { pieces } from '../../threads/pieces.js';
import { type ThreadOptions, type ThreadTeam, teamOf } from '../../threads/thread-team.js';
import type { EncodeOptions, ImageEmbeddings, ImageEncoder, ImageInput, ImageQuery } from '../encoder.js';
import { type HeldQuery, imageIdentity } from './image-encoder-service.js';
import { joinImageEmbeddings } from './join-embeddings.js';
import { remoteQuery } from './remote-query.js';

/** Images that a thread encodes in one call, at most. */
const IMAGES_PER_CALL = 4;

/**
 * An image encoder in threads: images are divided among them, and vectors are the same bits in the same order. A query stays in
 * the thread that has encoded it, which computes its patches, until it is released or forgotten. An encoder without a spec, and
 * any in a bundle, where a thread would not find the modules, works on the calling thread.
 */
export class ThreadedImageEncoder implements ImageEncoder, AsyncDisposable {
  readonly name: string;
  readonly version: string;
  readonly dimension: number;
  readonly patchDimension: number;
  /** Threads at most; 0 where the encoder works on the calling thread. */
  readonly threads: number;
  readonly #encoder: ImageEncoder;
  readonly #team: ThreadTeam | undefined;

  /** @internal */
  constructor(encoder: ImageEncoder, options: ThreadOptions) {
    const { name, version, dimension, patchDimension, spec } = encoder;
    this.name = name;
    this.version = version;
    this.dimension = dimension;
    this.patchDimension = patchDimension;
    this.#encoder = encoder;
    this.#team = teamOf(spec, 'encoders/threads/image-encoder-service.js', imageIdentity(encoder), options);
    this.threads = this.#team?.threads ?? 0;
  }

  /**
   * @throws GranuleError what the encoder throws, of several images the first one's; `ABORTED`, `ENCODER_CLOSED`; `INTERNAL` or
   *   `OUT_OF_MEMORY` where a thread died, which the next call replaces; `INVALID_ARGUMENT` where the spec does not make such an
   *   encoder
   */
  async encodeImages(images: readonly ImageInput[], options: EncodeOptions = {}): Promise<ImageEmbeddings> {
    const team = this.#team;
    if (team === undefined) return this.#encoder.encodeImages(images, options);
    const found = await team.callAll<readonly ImageInput[], ImageEmbeddings>(
      'encodeImages',
      pieces(images, team.capacity, IMAGES_PER_CALL),
      (some) => ({ images: some }),
      options.signal,
    );
    return joinImageEmbeddings(found);
  }

  /** @throws GranuleError as `encodeImages`; so do the query's own methods, once its thread has died */
  async encodeQuery(image: ImageInput, options: EncodeOptions = {}): Promise<ImageQuery> {
    const team = this.#team;
    if (team === undefined) return this.#encoder.encodeQuery(image, options);
    const { value: argument, transfer } = copiedOver({ image });
    const { value, thread } = await team.call<HeldQuery>('encodeQuery', argument, {
      signal: options.signal,
      transfer,
      unclaimed: (late) => remoteQuery(late.thread, late.value as HeldQuery).release!(),
    });
    return remoteQuery(thread, value);
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

/** An image encoder in threads. */
export function imageEncoderInThreads(
  encoder: ImageEncoder,
  options: ThreadOptions = {},
): ThreadedImageEncoder {
  return new ThreadedImageEncoder(encoder, options);
}
