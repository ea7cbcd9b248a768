/** Metadata of an entity: plain JSON. */
export type Metadata = Readonly<Record<string, unknown>>;

/** A thing that questions are about: a country, a product, a species. */
export interface Entity {
  readonly id: string;
  readonly title: string;
  /** Path of the entity's image file, where it has one. */
  readonly image?: string;
  readonly metadata?: Metadata;
}

/** A piece of text about one entity, about 100 words, headed by the entity's title. */
export interface Passage {
  readonly id: string;
  readonly entityId: string;
  readonly text: string;
}

/** A passage as a line gives it. */
export interface LinePassage {
  readonly id: string;
  readonly text: string;
}

/** A longer text about an entity. It is kept whole, and split into passages `<id>#1`, `<id>#2`, ... */
export interface LineDocument {
  readonly id: string;
  /** Heads the passages; default: the entity's title. */
  readonly title?: string;
  readonly text: string;
  /** For the document's passages these lie over the entity's, top-level key by top-level key. */
  readonly metadata?: Metadata;
}

/** A further image of an entity. */
export interface LineImage {
  /** Default: `<entity id>` for the entity's first image, `<entity id>#2` for its second, ... */
  readonly id?: string;
  /** Path of the image file. */
  readonly file: string;
}

/** One line of a corpus file: an entity with all that belongs to it. Ids of passages, documents and images are unique over the corpus. */
export interface CorpusLine {
  readonly entity: Entity;
  readonly metadata?: Metadata;
  readonly passages?: readonly LinePassage[];
  readonly documents?: readonly LineDocument[];
  /** Images beside `entity.image`, which is the first. */
  readonly images?: readonly LineImage[];
}
