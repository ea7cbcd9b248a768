/**
 * The client of `granule serve`: on `fetch`, without dependencies, for Node, browsers and other runtimes.
 *
 * @module
 */

export { ERROR_CODES, type ErrorCode, type ErrorDetails, GranuleError } from '../errors.js';
export type {
  AnswerBody as Answer,
  DocumentBody as StoredDocument,
  DocumentHitBody as FoundDocument,
  DocumentRequest as DocumentToStore,
  DocumentStored,
  EntityBody as StoredEntity,
  EntityHitBody as FoundEntity,
  ImageHitBody as FoundImage,
  PassageBody as StoredPassage,
  PassageHitBody as FoundPassage,
  SearchReply as SearchResult,
  StageBody as AnswerStage,
  StatusBody as ServerStatus,
} from '../server/schemas.js';
export {
  type AskEvent,
  type CallOptions,
  GranuleClient,
  type GranuleClientOptions,
  type Question,
  type SearchQuery,
} from './granule-client.js';
