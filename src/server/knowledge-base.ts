import type { SearchLevel } from '../systems/search-corpus.js';
import type {
  AnswerBody,
  DocumentBody,
  DocumentRequest,
  DocumentStored,
  EntityBody,
  PassageBody,
  SearchReply,
  StageBody,
  StatusBody,
} from './schemas.js';

/** A question to a knowledge base. */
export interface KnowledgeBaseQuestion {
  readonly question: string;
  /** The bytes of a picture. */
  readonly image?: Uint8Array;
  /** Id of the entity that the question is about, where it is known. */
  readonly entity?: string;
  readonly filter?: Readonly<Record<string, unknown>>;
  readonly entityCount?: number;
  readonly passageCount?: number;
  readonly select?: 'joint' | 'marginal';
}

/** A search in a knowledge base: by a text or by an image. */
export interface KnowledgeBaseQuery {
  readonly text?: string;
  readonly image?: Uint8Array;
  /** Default passages for a text, and entities for an image. */
  readonly level?: SearchLevel;
  readonly k: number;
  readonly filter?: Readonly<Record<string, unknown>>;
}

/** Options of every call that may take long. */
export interface CallOptions {
  readonly signal: AbortSignal;
}

/** An image of an entity. */
export interface StoredImage {
  readonly id: string;
  readonly entity: string;
  /** Media type, from the record of the image. */
  readonly contentType: string;
  /** Bytes as they were stored. */
  bytes(): Promise<Uint8Array>;
}

/** Changes a knowledge base. */
export interface KnowledgeBaseWriter {
  /** Stores a document, in place of the one that has this id, and splits and encodes it. */
  putDocument(id: string, document: DocumentRequest, options: CallOptions): Promise<DocumentStored>;
  /** Deletes a document and its passages; false where there is none. */
  deleteDocument(id: string, options: CallOptions): Promise<boolean>;
}

/**
 * What the server needs of a knowledge base. Ids that come from a request are looked up among records; no method makes a
 * path of one.
 */
export interface KnowledgeBase {
  /** Absent where it can only be read. */
  readonly writer?: KnowledgeBaseWriter;
  status(): Promise<Omit<StatusBody, 'version' | 'writable'>>;
  /**
   * Answers a question.
   *
   * @param options - `onStage` is called with each stage as soon as it is done
   * @throws GranuleError `NOT_FOUND` for an unknown entity, `INVALID_ARGUMENT`, `IMAGE_UNREADABLE`, `ABORTED`
   */
  ask(
    question: KnowledgeBaseQuestion,
    options: CallOptions & { readonly onStage?: (stage: StageBody) => void },
  ): Promise<AnswerBody>;
  /**
   * Searches for a text among passages, documents or entities, or for an image among entities or images.
   *
   * @throws GranuleError `INVALID_ARGUMENT` for a level that cannot be searched so, `IMAGE_UNREADABLE`, `ABORTED`
   */
  search(query: KnowledgeBaseQuery, options: CallOptions): Promise<SearchReply>;
  entity(id: string): Promise<EntityBody | undefined>;
  document(id: string): Promise<DocumentBody | undefined>;
  passage(id: string): Promise<PassageBody | undefined>;
  image(id: string): Promise<StoredImage | undefined>;
  /** Frees everything; no call may follow. */
  close(): Promise<void>;
}
