import type { ImageEncoder, ImageQuery } from '../encoders/encoder.js';
import { GranuleError } from '../errors.js';
import { rankedLists } from '../ranking/ranked-list.js';
import type { ImageStore } from '../retrievers/image-store.js';
import type {
  DenseSource,
  MultiVectorSource,
  PipelineQuery,
  PipelineSources,
  SourceOptions,
} from './sources.js';

/** What the sources of images are made of. */
export interface ImageSourcesOptions {
  /** The one that made the store's vectors. */
  readonly encoder: ImageEncoder;
}

/**
 * The images of a corpus, or of a `MemoryImageStore`, as sources of a pipeline, for queries with a picture.
 *
 * - `dense.image`: by the vector of the picture's first view, the whole picture; exact
 * - `multiVector.patches`, where the images have patches: by those of that view; exact
 * - `groups.entity` of rows of level `image`, and the ids of images
 *
 * `ImageEntityRetriever` looks at all views of a picture, and fits them to the images.
 */
export function imageSources(store: ImageStore, { encoder }: ImageSourcesOptions): PipelineSources {
  const pictures = new EncodedPictures(encoder);
  return {
    dense: { image: denseSource(store, pictures) },
    ...(store.patchDimension > 0 && { multiVector: { patches: patchSource(store, pictures) } }),
    groups: {
      entity: { image: async (rows) => (await store.entitiesOfImages([...rows])).map(({ id }) => id) },
    },
    ids: { image: async (rows) => (await store.images([...rows])).map(({ id }) => id) },
  };
}

function denseSource(store: ImageStore, pictures: EncodedPictures): DenseSource {
  return {
    level: 'image',
    async encode(query, options) {
      const { data, columns } = (await pictures.encode(query, options)).views;
      return data.slice(0, columns);
    },
    async search(vector, options) {
      const query = { data: vector, rows: 1, columns: vector.length };
      return rankedLists(await store.searchImages(query, options))[0]!;
    },
    vectorsOf: (rows, { signal }) => store.imageVectors([...rows], signal),
  };
}

function patchSource(store: ImageStore, pictures: EncodedPictures): MultiVectorSource {
  return {
    level: 'image',
    async encode(query, options) {
      const picture = await pictures.encode(query, options);
      if (picture.patchesOf === undefined) {
        throw new GranuleError(
          'INVALID_ARGUMENT',
          'late interaction needs an encoder that gives patches of pictures',
        );
      }
      const { signal } = options;
      const { data, columns } = (await picture.patchesOf([0], signal && { signal })).patches;
      return { data, rows: data.length / columns, columns };
    },
    async search({ data }, options) {
      const hits = await store.searchPatches(data, { ...options, explain: true });
      const list = rankedLists(hits)[0]!;
      return { ...list, matches: Array.from(list.rows, (_, place) => hits.matches(0, place)!) };
    },
    vectorsOf: async (rows, { signal }) => (await store.imagePatches([...rows], signal)).patches,
  };
}

/** A picture is encoded once for all sources of one retrieval, which has its own query object. */
class EncodedPictures {
  readonly #encoder: ImageEncoder;
  readonly #known = new WeakMap<PipelineQuery, Promise<ImageQuery>>();

  constructor(encoder: ImageEncoder) {
    this.#encoder = encoder;
  }

  /** @throws GranuleError `INVALID_ARGUMENT` for a query without a picture, and what the encoder throws */
  encode(query: PipelineQuery, { signal }: SourceOptions): Promise<ImageQuery> {
    const known = this.#known.get(query);
    if (known !== undefined) return known;
    if (query.image === undefined) {
      throw new GranuleError(
        'INVALID_ARGUMENT',
        'the pipeline searches for a picture, and the query has none',
      );
    }
    const encoded = this.#encoder.encodeQuery(query.image, signal && { signal });
    this.#known.set(query, encoded);
    encoded.catch(() => this.#known.delete(query));
    return encoded;
  }
}
