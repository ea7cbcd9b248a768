import type { TextEncoder } from '../../encoders/encoder.js';
import { NgramTextEncoder } from '../../encoders/ngram/ngram-text-encoder.js';
import { pickedRows } from '../../training/trainer/picked-rows.js';
import type { Matrix } from '../../vectors/matrix.js';
import { countryCorpus } from '../countries/country-corpus.js';
import { NEVER_TRAINED } from './never-trained.js';

/** Titles and passages of all countries, with frozen vectors. */
export interface CountryKnowledge {
  readonly titles: readonly string[];
  /** Two-letter codes in upper case, as `titles` lie. */
  readonly cca2: readonly string[];
  /** Text vectors of the titles. */
  readonly titleVectors: Matrix;
  /** Text vectors of the passages. */
  readonly passages: Matrix;
  readonly texts: readonly string[];
  /** Per passage, the row of its country. */
  readonly passageEntity: Uint32Array;
  /** Fitted to the texts of all passages, as that of a knowledge base is. */
  readonly encoder: TextEncoder;
}

/**
 * The knowledge base of the countries in memory.
 *
 * @throws GranuleError `ABORTED`
 */
export async function countryKnowledge(
  options: { readonly signal?: AbortSignal } = {},
): Promise<CountryKnowledge> {
  const lines = countryCorpus((cca2) => cca2);
  const titles = lines.map(({ entity }) => entity.title);
  const texts = lines.flatMap(({ passages }) => passages.map(({ text }) => text));
  const encoder = new NgramTextEncoder();
  encoder.fit(texts);
  return {
    titles,
    cca2: lines.map(({ entity }) => entity.id.toUpperCase()),
    titleVectors: (await encoder.encodePassages(titles, options)).vectors,
    passages: (await encoder.encodePassages(texts, options)).vectors,
    texts,
    passageEntity: Uint32Array.from(lines.flatMap(({ passages }, row) => passages.map(() => row))),
    encoder,
  };
}

/** Some of the countries, with their passages; rows are counted anew. */
export function knowledgeOf(
  knowledge: CountryKnowledge,
  includes: (cca2: string) => boolean,
): CountryKnowledge {
  const entities = [...knowledge.cca2.keys()].filter((row) => includes(knowledge.cca2[row]!));
  const places = new Map(entities.map((row, place) => [row, place]));
  const passages = [...knowledge.texts.keys()].filter((row) => places.has(knowledge.passageEntity[row]!));
  return {
    titles: entities.map((row) => knowledge.titles[row]!),
    cca2: entities.map((row) => knowledge.cca2[row]!),
    titleVectors: pickedRows(knowledge.titleVectors, entities),
    passages: pickedRows(knowledge.passages, passages),
    texts: passages.map((row) => knowledge.texts[row]!),
    passageEntity: Uint32Array.from(passages, (row) => places.get(knowledge.passageEntity[row]!)!),
    encoder: knowledge.encoder,
  };
}

/** What may be trained on: all countries but those that are `NEVER_TRAINED`, whose passages are then no negatives either. */
export function trainedKnowledge(knowledge: CountryKnowledge): CountryKnowledge {
  return knowledgeOf(knowledge, (cca2) => !NEVER_TRAINED.has(cca2));
}
