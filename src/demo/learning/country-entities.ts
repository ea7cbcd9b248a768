import type { Entity } from '../../corpus/records.js';
import type { ImageEncoder, ImageQuery, TextEncoder } from '../../encoders/encoder.js';
import { ImageEntityRetriever } from '../../retrievers/image-entity-retriever.js';
import { MemoryImageStore } from '../../retrievers/memory-image-store.js';
import type { EntityHit, RetrieveOptions } from '../../retrievers/retriever.js';
import type { CountryTowers } from './country-towers.js';
import { withVectors } from './mapped-query.js';
import { PlacedEntityRetriever } from './placed-entity-retriever.js';
import { questionPlaceEncoder } from './question-place-encoder.js';
import { ENTITY_TEMPERATURE } from './train-entity-towers.js';

/** Pictures that were encoded, to entities. */
export interface EncodedEntityRetriever {
  retrieveEncoded(query: ImageQuery, options: RetrieveOptions): Promise<EntityHit[]>;
}

/** What entities are found with, beside towers. */
export interface CountryEntitiesParts {
  readonly entities: readonly Entity[];
  /** Fitted to the passages. */
  readonly textEncoder: TextEncoder;
  readonly imageEncoder: ImageEncoder;
  /** Finds entities by their own images. */
  readonly images: ImageEntityRetriever;
}

/**
 * How towers find entities. Until there is a tower of places: a picture's score with an entity is the best of any of its views with the
 * entity's title, <image(view), title(text vector)>. With one: by the entities' own images, where the question asks to look.
 */
export async function countryEntities(
  { image, title, where }: CountryTowers,
  { entities, textEncoder, imageEncoder, images }: CountryEntitiesParts,
): Promise<EncodedEntityRetriever> {
  if (where !== undefined) {
    return new PlacedEntityRetriever({ imageEncoder, images, placeEncoder: questionPlaceEncoder(), where });
  }
  const titles = await textEncoder.encodePassages(entities.map((entity) => entity.title));
  const store = await MemoryImageStore.build({ entities, vectors: await title.encode(titles.vectors) });
  const byTitle = new ImageEntityRetriever(imageEncoder, store, { viewTemperature: ENTITY_TEMPERATURE });
  return {
    async retrieveEncoded(query, options) {
      const views = await image.encode(query.views, { threads: 1, signal: options.signal });
      return byTitle.retrieveEncoded(withVectors(query, views), options);
    },
  };
}
