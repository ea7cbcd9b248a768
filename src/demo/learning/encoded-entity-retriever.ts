import type { ImageQuery } from '../../encoders/encoder.js';
import type { EntityHit, RetrieveOptions, Timings } from '../../retrievers/retriever.js';

/** Pictures that were encoded, to entities. */
export interface EncodedEntityRetriever {
  /** @param timings - where given, the milliseconds of each stage are added to it */
  retrieveEncoded(query: ImageQuery, options: RetrieveOptions, timings?: Timings): Promise<EntityHit[]>;
}
