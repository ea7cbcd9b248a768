import type { MetadataFilter } from '../corpus/filter/metadata-filter.js';
import type { Entity, Passage } from '../corpus/records.js';
import type { ImageInput, Quads } from '../encoders/encoder.js';

/** Options of every retrieval call. */
export interface RetrieveOptions {
  /** How many hits to return; fewer come back where the corpus holds fewer. */
  readonly k: number;
  /** Only what has such metadata: of a passage its own, of an entity its own. */
  readonly filter?: MetadataFilter | undefined;
  /**
   * The question that is asked about the picture, for retrievers of entities that look where it says ("the flag at the lower left");
   * others leave it alone.
   */
  readonly question?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A hit in a ranked list, best first. */
export interface Hit<T> {
  readonly item: T;
  /** Higher is better; comparable within one list only. */
  readonly score: number;
  /** Probability over the hits of this list: softmax of score / temperature. */
  readonly probability: number;
}

/** A pair of patches that matched: where in the query picture, where in the entity's image, how similar. */
export interface PatchMatch {
  /** Quad of the query picture's patch. */
  readonly query: Quads;
  /** Quad of the entity image's patch. */
  readonly entity: Quads;
  readonly similarity: number;
}

/** An entity that a picture may show. */
export interface EntityHit extends Hit<Entity> {
  /** Id of the entity's image that was most like the picture. */
  readonly image?: string;
  /** The view of the picture in which the entity was found. */
  readonly region?: Quads;
  /** The matched patches, where late interaction ran. */
  readonly matches?: readonly PatchMatch[];
  /** The best passage, where a text was searched for: its score is the entity's. */
  readonly passage?: Passage;
}

/** An image of an entity. */
export interface EntityImage {
  readonly id: string;
  readonly entity: Entity;
}

/** An image that may show what a picture shows. */
export interface ImageHit extends Hit<EntityImage> {
  /** The view of the picture that was most like the image. */
  readonly region: Quads;
  /** The matched patches, where late interaction ran. */
  readonly matches?: readonly PatchMatch[];
}

/** A passage that a text may be about. */
export type PassageHit = Hit<Passage>;

/** What passages belong to. */
export type PassageGroup = 'document' | 'entity';

/** A document or an entity, by its id, that a text may be about. */
export interface PassageGroupHit extends Hit<string> {
  /** Its best passage, whose score is its own. */
  readonly passage: Passage;
}

/** Milliseconds by stage name. */
export type Timings = Record<string, number>;

/** Pictures to entities. */
export interface EntityRetriever {
  /** @param timings - where given, the milliseconds of each stage are added to it */
  retrieve(image: ImageInput, options: RetrieveOptions, timings?: Timings): Promise<EntityHit[]>;
}

/** Texts to passages; one list per text. */
export interface PassageRetriever {
  retrieve(texts: readonly string[], options: RetrieveOptions, timings?: Timings): Promise<PassageHit[][]>;
}
