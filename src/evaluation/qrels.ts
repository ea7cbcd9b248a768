/**
 * Relevance judgements: query id, then document id, to relevance.
 *
 * A relevance of 0 was judged and found not relevant, 1 and more are grades. -1 says that the document was in the pool that
 * was to be judged, but was not judged; what is below -1 counts as not judged and outside the pool, as a document that is
 * absent does.
 */
export type Qrels = ReadonlyMap<string, ReadonlyMap<string, number>>;
