import type { ImageEncoder, ImageInput, ImageQuery, TextEncoder } from '../../encoders/encoder.js';
import { checkK } from '../../retrievers/check-k.js';
import type { EntityHit, EntityRetriever, RetrieveOptions, Timings } from '../../retrievers/retriever.js';
import type { Tower } from '../../training/towers/tower.js';
import { logSumExp } from '../../vectors/log-sum-exp.js';
import type { EncodedEntityRetriever } from './encoded-entity-retriever.js';
import { withViews } from './query-views.js';
import type { TitleEntityRetriever } from './title-entity-retriever.js';
import { ENTITY_TEMPERATURE } from './train-entity-towers.js';
import { placeBiases, placeFeatures } from './view-places.js';

/** The parts of a {@link PlacedEntityRetriever}. */
export interface PlacedEntityRetrieverParts {
  readonly imageEncoder: ImageEncoder;
  /** Finds entities by their own images. */
  readonly images: EncodedEntityRetriever;
  /** Finds entities by their titles. */
  readonly titles: TitleEntityRetriever;
  /** Ids of the entities whose titles were trained. */
  readonly trained: ReadonlySet<string>;
  /** Of questions. */
  readonly placeEncoder: TextEncoder;
  /** Where a question wants one to look, from its vector. */
  readonly where: Tower;
}

/** Views whose bias is this far below the greatest are not looked at. Of 3, 4.5, 6 and 9 the best on training pictures, as are the weights below. */
const FOCUS = 6;
/** What places weigh beside patches: what was learned with a decay of weights is surer than it says. */
const PLACE_WEIGHT = 3;
/** Hits that are weighed, at least. */
const WEIGHED = 20;
/** What titles weigh beside patches. */
const TITLE_WEIGHT = 0.5;
/** What the title of an entity that was not trained counts for: the median of the best wrong title's similarity in pictures of trained ones. */
const UNKNOWN = 0.7;

/**
 * Finds the entity that a question means among those in a picture, with b(v) = 3 <features of view v's place, where(question)>:
 *
 *     1. of the picture's views, those with b(v) above the greatest less 6 are looked at
 *     2. p(e | picture): entities by late interaction of the patches of those views with those of the entities' images
 *     3. s(e) = max over all views v of <image(v), title(e)> / 0.05 + b(v), and 0.7 / 0.05 + max b of one whose title was not trained
 *     4. p(e | picture, question) proportional to p(e | picture) exp(b(the region in which e was found) + 0.5 s(e))
 *
 * A question that names no place has nearly the same b everywhere.
 */
export class PlacedEntityRetriever implements EncodedEntityRetriever, EntityRetriever {
  readonly #parts: PlacedEntityRetrieverParts;

  constructor(parts: PlacedEntityRetrieverParts) {
    this.#parts = parts;
  }

  /**
   * @param timings - receives `encode`, and what the retriever by images adds
   * @throws GranuleError as `ImageEntityRetriever.retrieve`
   */
  async retrieve(image: ImageInput, options: RetrieveOptions, timings?: Timings): Promise<EntityHit[]> {
    checkK(options.k);
    const start = performance.now();
    const query = await this.#parts.imageEncoder.encodeQuery(image, {
      ...(options.signal && { signal: options.signal }),
    });
    if (timings !== undefined) timings['encode'] = (timings['encode'] ?? 0) + performance.now() - start;
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
    checkK(options.k);
    const { images, titles, trained } = this.#parts;
    const { signal } = options;
    const where = await this.#where(options.question ?? '', signal);
    const biases = placeBiases(placeFeatures(query.viewQuads), where);
    const views = viewsAsked(biases);
    const asked = views.length === biases.length ? query : withViews(query, views);
    const hits = await images.retrieveEncoded(
      asked,
      { ...options, k: Math.max(options.k, WEIGHED) },
      timings,
    );
    const scores = await titles.scores(query, biases, signal);
    const unknown = UNKNOWN / ENTITY_TEMPERATURE + greatest(biases);
    const logs = hits.map(({ item, probability, region }) => {
      const [bias = 0] = region === undefined ? [] : placeBiases(placeFeatures(region), where);
      const title = trained.has(item.id) ? scores.get(item.id)! : unknown;
      return Math.log(probability) + bias + TITLE_WEIGHT * title;
    });
    return likeliest(hits, logs, options.k);
  }

  async #where(question: string, signal: AbortSignal | undefined): Promise<Float32Array> {
    const { vectors } = await this.#parts.placeEncoder.encodeQueries([question], signal && { signal });
    const { data } = await this.#parts.where.encode(vectors, { signal });
    return data.map((weight) => PLACE_WEIGHT * weight);
  }
}

/** The k hits with the greatest logarithms, best first, of equal ones the first; their probabilities add up to 1. */
function likeliest(hits: readonly EntityHit[], logs: readonly number[], k: number): EntityHit[] {
  const order = [...logs.keys()].sort((a, b) => logs[b]! - logs[a]!).slice(0, k);
  const mass = logSumExp(order.map((i) => logs[i]!));
  return order.map((i) => ({ ...hits[i]!, probability: Math.exp(logs[i]! - mass) }));
}

/** Numbers of the views that a question asks for, from their biases. */
function viewsAsked(biases: Float64Array): number[] {
  const least = greatest(biases) - FOCUS;
  return [...biases.keys()].filter((view) => biases[view]! >= least);
}

function greatest(values: Float64Array): number {
  return values.reduce((most, value) => Math.max(most, value), Number.NEGATIVE_INFINITY);
}
