import type { Entity } from '../../corpus/records.js';
import type { ImageEncoder, ImageInput, ImageQuery, Quads, TextEncoder } from '../../encoders/encoder.js';
import { FlatIndex } from '../../index/flat-index.js';
import type { Hits } from '../../index/hits.js';
import { topKSoftmax } from '../../index/top-k-softmax.js';
import { checkK } from '../../retrievers/check-k.js';
import type { EntityHit, EntityRetriever, RetrieveOptions } from '../../retrievers/retriever.js';
import type { Tower } from '../../training/towers/tower.js';
import type { Matrix } from '../../vectors/matrix.js';
import type { EncodedEntityRetriever } from './encoded-entity-retriever.js';
import { ENTITY_TEMPERATURE, type EntityTowers } from './train-entity-towers.js';

/** What a {@link TitleEntityRetriever} is made of. */
export interface TitleEntityRetrieverParts {
  readonly entities: readonly Entity[];
  /** The one whose vectors the tower of titles maps. */
  readonly textEncoder: TextEncoder;
  readonly imageEncoder: ImageEncoder;
  readonly towers: EntityTowers;
}

/**
 * Finds the entity that a picture shows by its title alone, across modalities:
 *
 *     s(p, e) = max over views v of p of <image(v), title(text vector of e's title)>
 *
 * by exact search. A picture has some twenty times as many views as there are titles, so the views are what is indexed, and the titles
 * are searched for; <v, e> is the same bits either way. Probabilities are the softmax of s / 0.05 over the hits. Of equal views the first
 * counts. O(views (parameters of the tower + entities)).
 *
 * Training compares the two by products of matrices instead: there both towers change with every step, and the gradient needs the
 * similarities of all views and titles.
 */
export class TitleEntityRetriever implements EncodedEntityRetriever, EntityRetriever {
  readonly #entities: readonly Entity[];
  readonly #imageEncoder: ImageEncoder;
  readonly #image: Tower;
  /** title(text vector) of the entities, in their order. */
  readonly #titles: Matrix;
  readonly #seen = new WeakMap<ImageQuery, Promise<Matrix>>();

  private constructor({ entities, imageEncoder, towers }: TitleEntityRetrieverParts, titles: Matrix) {
    this.#entities = entities;
    this.#imageEncoder = imageEncoder;
    this.#image = towers.image;
    this.#titles = titles;
  }

  /** @throws GranuleError what the encoder and the towers throw */
  static async build(parts: TitleEntityRetrieverParts): Promise<TitleEntityRetriever> {
    const { entities, textEncoder, towers } = parts;
    const { vectors } = await textEncoder.encodePassages(entities.map(({ title }) => title));
    return new TitleEntityRetriever(parts, await towers.title.encode(vectors));
  }

  /** @throws GranuleError `K_OUT_OF_RANGE`, `FILE_NOT_FOUND`, `IMAGE_UNREADABLE`, `ABORTED` */
  async retrieve(image: ImageInput, options: RetrieveOptions): Promise<EntityHit[]> {
    checkK(options.k);
    const { signal } = options;
    const query = await this.#imageEncoder.encodeQuery(image, signal && { signal });
    try {
      return await this.retrieveEncoded(query, options);
    } finally {
      query.release?.();
    }
  }

  /** As `retrieve`, for a picture that the encoder has encoded already. The caller releases it. */
  async retrieveEncoded(query: ImageQuery, { k, signal }: RetrieveOptions): Promise<EntityHit[]> {
    checkK(k);
    const { scores, rows: views } = await this.#bestViews(query, undefined, signal);
    const places = Math.min(k, scores.length);
    const { rows, probabilities } = await topKSoftmax(scores, { k: places, temperature: ENTITY_TEMPERATURE });
    return Array.from(rows, (row, place) => ({
      item: this.#entities[row]!,
      score: scores[row]!,
      probability: probabilities[place]!,
      region: quadAt(query.viewQuads, views[row]!),
    }));
  }

  /**
   * Per entity, by its id, max over views v of <image(v), title(e)> / 0.05 + bias(v).
   *
   * @param biases - of views
   * @throws GranuleError `ABORTED`
   */
  async scores(query: ImageQuery, biases: Float64Array, signal?: AbortSignal): Promise<Map<string, number>> {
    const scaled = Float32Array.from(biases, (bias) => bias * ENTITY_TEMPERATURE);
    const { scores } = await this.#bestViews(query, scaled, signal);
    return new Map(this.#entities.map(({ id }, i) => [id, scores[i]! / ENTITY_TEMPERATURE]));
  }

  /** Per title the view with the greatest similarity, the bias added. */
  async #bestViews(
    query: ImageQuery,
    biases: Float32Array | undefined,
    signal: AbortSignal | undefined,
  ): Promise<Hits> {
    using index = new FlatIndex({ dimension: this.#titles.columns, threads: 1 });
    await index.add(await this.#views(query, signal), { biases, signal });
    return await index.search(this.#titles, { k: 1, signal });
  }

  /** image(v) of all views; worked out once for a query. */
  #views(query: ImageQuery, signal: AbortSignal | undefined): Promise<Matrix> {
    const known = this.#seen.get(query);
    if (known !== undefined) return known;
    const views = this.#image.encode(query.views, { threads: 1, signal });
    this.#seen.set(query, views);
    views.catch(() => this.#seen.delete(query));
    return views;
  }
}

function quadAt(quads: Quads, view: number): Quads {
  return quads.slice(view * 8, view * 8 + 8);
}
