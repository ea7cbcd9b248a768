import type { ImageEncoder, ImageInput, ImageQuery, TextEncoder } from '../../encoders/encoder.js';
import type { ImageEntityRetriever } from '../../retrievers/image-entity-retriever.js';
import type { EntityHit, EntityRetriever, RetrieveOptions, Timings } from '../../retrievers/retriever.js';
import { logSumExp } from '../../systems/log-sum-exp.js';
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

/** Views whose bias is this far below the greatest are not looked at; 3 found most of 60 flags among several of 1, 2, 3, 4, 5 and 8. */
const FOCUS = 3;
/** Hits whose place is weighed, at least. */
const WEIGHED = 20;

/**
 * Finds the entity that a question means among those in a picture, with b(v) = <features of view v's place, where(question)>:
 *
 *     1. of the picture's views, those with b(v) above the greatest less 3 are looked at
 *     2. entities by late interaction of their patches with those of the entities' images
 *     3. p(e | picture, question) proportional to p(e | picture) exp b(the region in which e was found)
 *
 * A question that names no place has nearly the same b everywhere.
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
    const { images } = this.#parts;
    if (options.question === undefined) return images.retrieveEncoded(query, options, timings);
    const where = await this.#where(options.question);
    const views = viewsAsked(query, where);
    const all = views.length === query.views.rows;
    const wanted = { ...options, k: Math.max(options.k, WEIGHED) };
    const hits = await images.retrieveEncoded(all ? query : withViews(query, views), wanted, timings);
    return weighed(hits, where).slice(0, options.k);
  }

  async #where(question: string): Promise<Float32Array> {
    const { vectors } = await this.#parts.placeEncoder.encodeQueries([question]);
    return (await this.#parts.where.encode(vectors)).data;
  }
}

/** Numbers of the views that a question asks for. */
export function viewsAsked({ viewQuads }: ImageQuery, where: Float32Array): number[] {
  const biases = placeBiases(placeFeatures(viewQuads), where);
  const least = biases.reduce((most, bias) => Math.max(most, bias), Number.NEGATIVE_INFINITY) - FOCUS;
  return [...biases.keys()].filter((view) => biases[view]! >= least);
}

/** The likeliest first. */
function weighed(hits: readonly EntityHit[], where: Float32Array): EntityHit[] {
  const logs = hits.map(({ probability, region }) => {
    const [bias = 0] = region === undefined ? [] : placeBiases(placeFeatures(region), where);
    return Math.log(probability) + bias;
  });
  const mass = logSumExp(logs);
  return hits
    .map((hit, i) => ({ ...hit, probability: Math.exp(logs[i]! - mass) }))
    .sort((a, b) => b.probability - a.probability);
}
