import type { Corpus } from '../corpus/corpus.js';
import type { CallOptions, KnowledgeBaseWriter } from './knowledge-base.js';
import type { DocumentRequest, DocumentStored } from './schemas.js';

/** Stores and deletes documents of a corpus. */
export class CorpusDocumentWriter implements KnowledgeBaseWriter {
  readonly #corpus: Corpus;

  constructor(corpus: Corpus) {
    this.#corpus = corpus;
  }

  /**
   * Stores a document, in place of the one that has this id.
   *
   * @throws GranuleError as `Corpus.putDocument`
   */
  async putDocument(
    id: string,
    { entity, ...document }: DocumentRequest,
    { signal }: CallOptions,
  ): Promise<DocumentStored> {
    const outcome = await this.#corpus.putDocument(entity, { id, ...document }, { signal });
    return { id, created: outcome === 'added', version: (await this.#corpus.info()).version };
  }

  /** Deletes a document and its passages; false where there is none. */
  deleteDocument(id: string): Promise<boolean> {
    return this.#corpus.delete({ document: id });
  }
}
