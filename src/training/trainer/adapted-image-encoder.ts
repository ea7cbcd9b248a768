import type { ImageEncoder, ImageQuery } from '../../encoders/encoder.js';
import { adaptedLearning } from './adapted-learning.js';
import { type Adapter, adapterHash } from './adapter.js';

/**
 * As `adaptedTextEncoder`, for images: every view of a picture goes through the tower of queries. Vectors of patches stay as they are.
 *
 * @throws GranuleError `ENCODER_MISMATCH` where the adapter was trained on another encoder
 */
export function adaptedImageEncoder(encoder: ImageEncoder, adapter: Adapter): ImageEncoder {
  const learning = adaptedLearning<never>(encoder, adapter);
  const { query, document } = adapter;
  const adapted: ImageEncoder = {
    name: document === undefined ? encoder.name : `${encoder.name}+adapter`,
    version: document === undefined ? encoder.version : `${encoder.version}+${adapterHash(adapter)}`,
    dimension: query.output,
    patchDimension: encoder.patchDimension,
    async encodeImages(images, options = {}) {
      const embeddings = await encoder.encodeImages(images, options);
      if (document === undefined) return embeddings;
      return {
        ...embeddings,
        vectors: await document.encode(embeddings.vectors, { signal: options.signal }),
      };
    },
    async encodeQuery(image, options = {}) {
      const picture = await encoder.encodeQuery(image, options);
      return withViews(picture, await query.encode(picture.views, { signal: options.signal }));
    },
  };
  return learning === undefined ? adapted : Object.assign(adapted, learning);
}

function withViews(picture: ImageQuery, views: ImageQuery['views']): ImageQuery {
  const { viewQuads } = picture;
  return {
    views,
    viewQuads,
    ...(picture.patchesOf && { patchesOf: picture.patchesOf.bind(picture) }),
    ...(picture.refine && { refine: picture.refine.bind(picture) }),
    ...(picture.release && { release: picture.release.bind(picture) }),
  };
}
