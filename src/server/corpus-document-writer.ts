import type { Corpus } from '../corpus/corpus.js';
import type { CorpusLine, LineDocument } from '../corpus/records.js';
import type { CorpusSnapshot } from '../corpus/snapshot/corpus-snapshot.js';
import { GranuleError } from '../errors.js';
import type { CallOptions, KnowledgeBaseWriter } from './knowledge-base.js';
import type { DocumentRequest, DocumentStored } from './schemas.js';

/**
 * Stores and deletes documents of a corpus. A corpus stores entities as a whole, so an entity is read, one of its documents is
 * changed, and the entity is stored; changes by this server follow one another, so none is lost.
 */
export class CorpusDocumentWriter implements KnowledgeBaseWriter {
  readonly #corpus: Corpus;
  /** Settles when the last change so far has ended, in whatever way. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(corpus: Corpus) {
    this.#corpus = corpus;
  }

  /**
   * Stores a document, in place of the one that has this id.
   *
   * @throws GranuleError `INVALID_ARGUMENT` for a new entity without a title, `DUPLICATE_ID` where the id is a document of another
   * entity, and as `Corpus.put`
   */
  putDocument(
    id: string,
    { entity: { id: entityId, title }, ...document }: DocumentRequest,
    { signal }: CallOptions,
  ): Promise<DocumentStored> {
    return this.#inTurn(async () => {
      const snapshot = await this.#corpus.snapshot({ signal });
      let line: CorpusLine | undefined;
      try {
        line = await lineOf(snapshot, entityId);
      } finally {
        await snapshot.release();
      }
      const heading = title ?? line?.entity.title;
      if (heading === undefined) {
        throw new GranuleError('INVALID_ARGUMENT', 'the entity is new: entity.title is needed');
      }
      const documents = line?.documents ?? [];
      const created = !documents.some((other) => other.id === id);
      const stored = { id, ...document };
      await this.#corpus.put(
        {
          ...line,
          entity: { ...line?.entity, id: entityId, title: heading },
          documents: created
            ? [...documents, stored]
            : documents.map((other) => (other.id === id ? stored : other)),
        },
        { signal },
      );
      return { id, created, version: (await this.#corpus.info()).version };
    });
  }

  /** Deletes a document and its passages; false where there is none. */
  deleteDocument(id: string): Promise<boolean> {
    return this.#inTurn(() => this.#corpus.delete({ document: id }));
  }

  #inTurn<T>(change: () => Promise<T>): Promise<T> {
    const changed = this.#last.then(change);
    this.#last = changed.catch(() => undefined);
    return changed;
  }
}

/** An entity with all that belongs to it, as a line that would store the same. */
async function lineOf(snapshot: CorpusSnapshot, id: string): Promise<CorpusLine | undefined> {
  const entity = await snapshot.entity(id);
  if (entity === undefined) return undefined;
  const [passages, images] = await Promise.all([snapshot.entityPassages(id), snapshot.entityImages(id)]);
  const documentIds = [...new Set(passages.flatMap(({ documentId }) => documentId ?? []))];
  const documents = await Promise.all(documentIds.map((documentId) => snapshot.document(documentId)));
  const { image: _, ...named } = entity;
  return {
    entity: named,
    passages: passages
      .filter(({ documentId }) => documentId === undefined)
      .map(({ id: passage, text }) => ({ id: passage, text })),
    documents: documents.flatMap((document): LineDocument[] => {
      if (document === undefined) return [];
      const { entityId: __, ...kept } = document;
      return [kept];
    }),
    images: images.map(({ id: imageId, file }) => ({ id: imageId, file })),
  };
}
