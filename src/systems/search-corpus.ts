import type { Passage } from '../corpus/records.js';
import type { CorpusSnapshot } from '../corpus/snapshot/corpus-snapshot.js';
import type { DocumentHead } from '../corpus/snapshot/stored-records.js';
import type { ImageInput } from '../encoders/encoder.js';
import { GranuleError } from '../errors.js';
import { checkK } from '../retrievers/check-k.js';
import type { DensePassageRetriever } from '../retrievers/dense-passage-retriever.js';
import type { ImageEntityRetriever } from '../retrievers/image-entity-retriever.js';
import type {
  EntityHit,
  Hit,
  ImageHit,
  PassageGroup,
  PassageGroupHit,
  PassageHit,
  RetrieveOptions,
  Timings,
} from '../retrievers/retriever.js';

/** What a search gives. A text finds the first three, an image the last two. */
export type SearchLevel = 'passage' | 'document' | 'entity' | 'image';

/** What {@link searchCorpus} searches in; an `OpenedMiRag` is one. */
export interface SearchedCorpus {
  readonly snapshot: CorpusSnapshot;
  readonly passages: DensePassageRetriever;
  readonly entities: ImageEntityRetriever;
}

/** What to search for: a text or an image. */
export interface CorpusQuery {
  readonly text?: string | undefined;
  readonly image?: ImageInput | undefined;
  /** Default passages for a text, and entities for an image. */
  readonly level?: SearchLevel | undefined;
}

/** A document that a text may be about. */
export interface DocumentHit extends Hit<DocumentHead> {
  /** Its best passage, whose score is the document's. */
  readonly passage: Passage;
}

/** Hits of one level, best first. */
export type CorpusHits =
  | { readonly level: 'passage'; readonly hits: readonly PassageHit[] }
  | { readonly level: 'document'; readonly hits: readonly DocumentHit[] }
  | { readonly level: 'entity'; readonly hits: readonly EntityHit[] }
  | { readonly level: 'image'; readonly hits: readonly ImageHit[] };

/**
 * Searches for a text among passages, documents or entities, or for an image among entities or images.
 *
 * For a text the score of a document or an entity is that of its best passage, which the hit names; an entity has its own
 * passages and those of its documents. For an image the score of an entity is that of its best image. With a filter only
 * passages, or images, that have such metadata count.
 *
 * @example
 * ```ts
 * const kb = await openMiRag('my-kb');
 * const { hits } = await searchCorpus(kb, { text: 'countries by the sea', level: 'entity' }, { k: 10 });
 * ```
 *
 * @param timings - where given, the milliseconds of each stage are added to it
 * @throws GranuleError `INVALID_ARGUMENT` for a level that the query cannot find; as the retrievers
 */
export async function searchCorpus(
  corpus: SearchedCorpus,
  query: CorpusQuery,
  options: RetrieveOptions,
  timings: Timings = {},
): Promise<CorpusHits> {
  const { text, image, level } = query;
  if (text !== undefined && image === undefined) {
    switch (level ?? 'passage') {
      case 'passage': {
        const [hits = []] = await corpus.passages.retrieve([text], options, timings);
        return { level: 'passage', hits };
      }
      case 'document':
        return { level: 'document', hits: await documentHits(corpus, text, options, timings) };
      case 'entity':
        return { level: 'entity', hits: await entityHits(corpus, text, options, timings) };
    }
  }
  if (image !== undefined && text === undefined) {
    switch (level ?? 'entity') {
      case 'entity':
        return { level: 'entity', hits: await corpus.entities.retrieve(image, options, timings) };
      case 'image':
        return { level: 'image', hits: await corpus.entities.retrieveImages(image, options, timings) };
    }
  }
  throw new GranuleError(
    'INVALID_ARGUMENT',
    "a text finds the levels 'passage', 'document' and 'entity', an image 'entity' and 'image'; " +
      `got ${given(query)}${level === undefined ? '' : ` and the level '${level}'`}`,
    { ...(level !== undefined && { level }) },
  );
}

async function documentHits(
  corpus: SearchedCorpus,
  text: string,
  options: RetrieveOptions,
  timings: Timings,
): Promise<DocumentHit[]> {
  const found = await groupHits(corpus, text, 'document', options, timings);
  const documents = await corpus.snapshot.documentHeads(found.map(({ item }) => item));
  return found.map((hit, i) => ({ ...hit, item: documents[i]! }));
}

async function entityHits(
  corpus: SearchedCorpus,
  text: string,
  options: RetrieveOptions,
  timings: Timings,
): Promise<EntityHit[]> {
  const found = await groupHits(corpus, text, 'entity', options, timings);
  const entities = await Promise.all(found.map(({ item }) => corpus.snapshot.entity(item)));
  return found.map((hit, i) => ({ ...hit, item: entities[i]! }));
}

/** Once all there are have been found, no more passages need be looked at. */
async function groupHits(
  { snapshot, passages }: SearchedCorpus,
  text: string,
  group: PassageGroup,
  options: RetrieveOptions,
  timings: Timings,
): Promise<PassageGroupHit[]> {
  checkK(options.k);
  const { documents, entities } = snapshot.counts;
  const k = Math.min(options.k, group === 'document' ? documents : entities);
  return k === 0 ? [] : passages.retrieveGroups(text, group, { ...options, k }, timings);
}

function given({ text, image }: CorpusQuery): string {
  if (text !== undefined) return image === undefined ? 'a text' : 'both';
  return image === undefined ? 'neither' : 'an image';
}
