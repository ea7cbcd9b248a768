/** An item after reranking. */
export interface Reranked {
  /** The item's row in the index it came from. */
  readonly row: number;
  /** Higher is better; comparable within one list only. */
  readonly score: number;
}

/** Options of every reranking call. */
export interface RerankOptions {
  readonly signal?: AbortSignal;
}

/** Orders a few candidates anew, by looking closer than the retriever that proposed them. */
export interface Reranker<Query, Result extends Reranked = Reranked> {
  /**
   * @param candidates - rows, none twice
   * @returns every candidate, best first; of equal scores the lower row first
   */
  rerank(query: Query, candidates: readonly number[], options?: RerankOptions): Promise<Result[]>;
}
