import type { Entity } from '../../corpus/records.js';
import type { ImageEncoder, ImageInput, ImageQuery, Quads, TextEncoder } from '../../encoders/encoder.js';
import { topKSoftmax } from '../../index/top-k-softmax.js';
import { checkK } from '../../retrievers/check-k.js';
import type { EntityHit, EntityRetriever, RetrieveOptions } from '../../retrievers/retriever.js';
import { Tower } from '../../training/towers/tower.js';
import type { Matrix } from '../../vectors/matrix.js';
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
 * Probabilities are the softmax of s / 0.05 over the hits. Of equal views the first counts. O(views (parameters of the tower + entities)).
 */
export class TitleEntityRetriever implements EntityRetriever {
  readonly #entities: readonly Entity[];
  readonly #imageEncoder: ImageEncoder;
  readonly #image: Tower;
  /** Gives a view's inner products with all titles. */
  readonly #titles: Tower;
  readonly #known = new WeakMap<ImageQuery, Promise<Matrix>>();

  private constructor({ entities, imageEncoder, towers }: TitleEntityRetrieverParts, titles: Tower) {
    this.#entities = entities;
    this.#imageEncoder = imageEncoder;
    this.#image = towers.image;
    this.#titles = titles;
  }

  /** @throws GranuleError what the encoder and the towers throw */
  static async build(parts: TitleEntityRetrieverParts): Promise<TitleEntityRetriever> {
    const { entities, textEncoder, towers } = parts;
    const { vectors } = await textEncoder.encodePassages(entities.map(({ title }) => title));
    const { data: weight } = await towers.title.encode(vectors);
    const shape = { input: towers.title.output, output: entities.length, bias: false, normalise: false };
    return new TitleEntityRetriever(parts, Tower.from({ kind: 'linear', ...shape }, { weight }));
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

  /** <image(v), title(e)> of all views and entities, views x entities; worked out once for a query. */
  similarities(query: ImageQuery, signal?: AbortSignal): Promise<Matrix> {
    const known = this.#known.get(query);
    if (known !== undefined) return known;
    const similarities = this.#similarities(query, signal);
    this.#known.set(query, similarities);
    similarities.catch(() => this.#known.delete(query));
    return similarities;
  }

  async #similarities({ views }: ImageQuery, signal: AbortSignal | undefined): Promise<Matrix> {
    const seen = await this.#image.encode(views, { threads: 1, signal });
    return this.#titles.encode(seen, { threads: 1, signal });
  }

  /**
   * Per entity, by its id, max over views v of similarity / 0.05 + bias(v).
   *
   * @param similarities - views x entities
   * @param biases - of views
   */
  scores({ data, columns }: Matrix, biases: Float64Array): Map<string, number> {
    const scores = new Float64Array(columns).fill(Number.NEGATIVE_INFINITY);
    for (const [view, bias] of biases.entries()) {
      for (let entity = 0; entity < columns; entity++) {
        const score = data[view * columns + entity]! / ENTITY_TEMPERATURE + bias;
        if (score > scores[entity]!) scores[entity] = score;
      }
    }
    return new Map(this.#entities.map(({ id }, i) => [id, scores[i]!]));
  }

  /** As `retrieve`, for a picture that the encoder has encoded already. The caller releases it. */
  async retrieveEncoded(query: ImageQuery, { k, signal }: RetrieveOptions): Promise<EntityHit[]> {
    checkK(k);
    const { scores, best } = bestOfViews(await this.similarities(query, signal));
    const temperature = ENTITY_TEMPERATURE;
    const { rows, probabilities } = await topKSoftmax(scores, { k: Math.min(k, scores.length), temperature });
    return Array.from(rows, (row, place) => ({
      item: this.#entities[row]!,
      score: scores[row]!,
      probability: probabilities[place]!,
      region: quadAt(query.viewQuads, best[row]!),
    }));
  }
}

/** Per column the greatest number, and the first row that has it. */
function bestOfViews({ data, rows, columns }: Matrix): { scores: Float32Array; best: Uint32Array } {
  const scores = new Float32Array(columns).fill(Number.NEGATIVE_INFINITY);
  const best = new Uint32Array(columns);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const score = data[row * columns + column]!;
      if (score > scores[column]!) {
        scores[column] = score;
        best[column] = row;
      }
    }
  }
  return { scores, best };
}

function quadAt(quads: Quads, view: number): Quads {
  return quads.slice(view * 8, view * 8 + 8);
}
