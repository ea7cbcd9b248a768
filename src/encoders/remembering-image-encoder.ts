import type { EncodeOptions, ImageEmbeddings, ImageEncoder, ImageInput, ImageQuery } from './encoder.js';

/**
 * An image encoder that encodes each picture for searching once, however many retrievers ask for it: bytes are known
 * again by their array, paths by their text. The latest picture is remembered.
 */
export class RememberingImageEncoder implements ImageEncoder {
  readonly name: string;
  readonly version: string;
  readonly dimension: number;
  readonly patchDimension: number;
  readonly #encoder: ImageEncoder;
  #latest: { readonly image: ImageInput; readonly query: Promise<ImageQuery> } | undefined;

  constructor(encoder: ImageEncoder) {
    this.#encoder = encoder;
    this.name = encoder.name;
    this.version = encoder.version;
    this.dimension = encoder.dimension;
    this.patchDimension = encoder.patchDimension;
  }

  encodeImages(images: readonly ImageInput[], options?: EncodeOptions): Promise<ImageEmbeddings> {
    return this.#encoder.encodeImages(images, options);
  }

  encodeQuery(image: ImageInput, options?: EncodeOptions): Promise<ImageQuery> {
    if (this.#latest?.image === image) return this.#latest.query;
    const query = this.#encoder.encodeQuery(image, options);
    const latest = { image, query };
    this.#latest = latest;
    query.catch(() => {
      if (this.#latest === latest) this.#latest = undefined;
    });
    return query;
  }
}
