import type { Entity } from '../../corpus/records.js';
import type { ImageEncoder } from '../../encoders/encoder.js';
import type { EntityRetriever } from '../../retrievers/retriever.js';
import type { CountryTowers } from './country-towers.js';
import type { EncodedEntityRetriever } from './encoded-entity-retriever.js';
import { NEVER_TRAINED } from './never-trained.js';
import { PlacedEntityRetriever } from './placed-entity-retriever.js';
import { questionPlaceEncoder } from './question-place-encoder.js';
import type { TitleEntityRetriever } from './title-entity-retriever.js';

/** What entities are found with, beside towers. */
export interface CountryEntitiesParts {
  readonly entities: readonly Entity[];
  readonly imageEncoder: ImageEncoder;
  /** Finds entities by their own images. */
  readonly images: EncodedEntityRetriever;
  /** Finds entities by their titles, with the same towers of images and titles. */
  readonly titles: TitleEntityRetriever;
}

/**
 * How entities are found by what was learned: by their titles until there is a tower of places, and then by titles and their own images
 * where the question asks to look.
 */
export function countryEntities(
  { where }: CountryTowers,
  parts: CountryEntitiesParts,
): EncodedEntityRetriever & EntityRetriever {
  if (where === undefined) return parts.titles;
  const trained = parts.entities.filter(({ metadata }) => !NEVER_TRAINED.has(String(metadata?.['cca2'])));
  return new PlacedEntityRetriever({
    ...parts,
    trained: new Set(trained.map(({ id }) => id)),
    placeEncoder: questionPlaceEncoder(),
    where,
  });
}
