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

/** One line of a corpus file. Passage ids are unique over the whole corpus. */
export interface CorpusLine {
  readonly entity: Entity;
  readonly passages?: readonly { readonly id: string; readonly text: string }[];
  readonly documents?: readonly CorpusLineDocument[];
  readonly images?: readonly CorpusLineImage[];
  readonly metadata?: Metadata;
}

/** A longer text about an entity, which is split into passages. */
export interface CorpusLineDocument {
  readonly id: string;
  readonly title?: string;
  readonly text: string;
  readonly metadata?: Metadata;
}

/** A further image of an entity. */
export interface CorpusLineImage {
  readonly id?: string;
  readonly file: string;
}
