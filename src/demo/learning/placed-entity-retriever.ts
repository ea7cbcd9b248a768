import type { ImageEncoder, ImageInput, ImageQuery, TextEncoder } from '../../encoders/encoder.js';
import type { ImageEntityRetriever } from '../../retrievers/image-entity-retriever.js';
import type { EntityHit, EntityRetriever, RetrieveOptions, Timings } from '../../retrievers/retriever.js';
import type { Tower } from '../../training/towers/tower.js';
import { withViews } from './mapped-query.js';
import { placeBiases, placeFeatures } from './view-places.js';

/** The parts of a {@link PlacedEntityRetriever}. */
export interface PlacedEntityRetrieverParts {
  readonly imageEncoder: ImageEncoder;
  /** Finds entities by their own images. */
  readonly images: Pick<ImageEntityRetriever, 'retrieveEncoded'>;
  /** Of questions. */
  readonly placeEncoder: TextEncoder;
  /** Where a question wants one to look, from its vector. */
  readonly where: Tower;
}

/** Views whose bias is this far below the greatest are not looked at. */
const FOCUS = 4;

/**
 * Finds the entity that a question means among those in a picture: of the picture's views only those are looked at whose place the question
 * asks for, by late interaction of their patches with those of the entities' images. A question that names no place looks at all.
 */
export class PlacedEntityRetriever implements EntityRetriever {
  readonly #parts: PlacedEntityRetrieverParts;

  constructor(parts: PlacedEntityRetrieverParts) {
    this.#parts = parts;
  }

  /** @throws GranuleError as `ImageEntityRetriever.retrieve` */
  async retrieve(image: ImageInput, options: RetrieveOptions, timings?: Timings): Promise<EntityHit[]> {
    const query = await this.#parts.imageEncoder.encodeQuery(image, {
      ...(options.signal && { signal: options.signal }),
    });
    try {
      return await this.retrieveEncoded(query, options, timings);
    } finally {
      query.release?.();
    }
  }

  /** As `retrieve`, for a picture that the encoder has encoded already. The caller releases it. */
  async retrieveEncoded(
    query: ImageQuery,
    options: RetrieveOptions,
    timings?: Timings,
  ): Promise<EntityHit[]> {
    const views = options.question === undefined ? undefined : await this.viewsAsked(query, options.question);
    const all = views === undefined || views.length === query.views.rows;
    return this.#parts.images.retrieveEncoded(all ? query : withViews(query, views), options, timings);
  }

  /** Numbers of the views that a question asks for. */
  async viewsAsked({ viewQuads }: ImageQuery, question: string): Promise<number[]> {
    const { placeEncoder, where } = this.#parts;
    const { vectors } = await placeEncoder.encodeQueries([question]);
    const { data } = await where.encode(vectors);
    const biases = placeBiases(placeFeatures(viewQuads), data);
    const least = biases.reduce((most, bias) => Math.max(most, bias), Number.NEGATIVE_INFINITY) - FOCUS;
    return [...biases.keys()].filter((view) => biases[view]! >= least);
  }
}
