import type { MultiVectorHits, VectorMatches } from '../index/multi-vector-hits.js';
import type { MultiVectorSearchOptions } from '../index/multi-vector-index.js';
import type { RaggedMatrix } from '../vectors/matrix.js';
import type { Reranked, Reranker, RerankOptions } from './reranker.js';

/** An item with the view of the query that it fits best. */
export interface MaxSimReranked extends Reranked {
  /** Number of that view in the query. */
  readonly view: number;
  /** Per vector of that view, the item's vector that matched it, and how similar they are. */
  readonly matches: VectorMatches;
}

/** What holds the items' vectors: a `MultiVectorIndex`, or what is searched alike. */
export interface MaxSimSource {
  search(
    queryVectors: Float32Array,
    options: Pick<MultiVectorSearchOptions, 'k' | 'candidates' | 'lengths' | 'explain' | 'signal'>,
  ): Promise<MultiVectorHits>;
}

/**
 * Reranks by late interaction. A query is one or more views, each a list of vectors; an item's score is its best over
 * the views of MaxSim: the sum over the view's vectors of the highest inner product with one of the item's vectors. Exact,
 * by `MultiVectorIndex`; of equal views the first counts.
 */
export class MaxSimReranker implements Reranker<RaggedMatrix, MaxSimReranked> {
  readonly #index: MaxSimSource;

  /** @param index - the items' vectors */
  constructor(index: MaxSimSource) {
    this.#index = index;
  }

  /** @throws GranuleError as `MultiVectorIndex.search` does, `ABORTED` among them */
  async rerank(
    query: RaggedMatrix,
    candidates: readonly number[],
    options: RerankOptions = {},
  ): Promise<MaxSimReranked[]> {
    if (candidates.length === 0) {
      return [];
    }
    const hits = await this.#index.search(query.data, {
      k: candidates.length,
      candidates: Uint32Array.from(candidates),
      lengths: query.lengths,
      explain: true,
      signal: options.signal,
    });
    const best = new Map<number, { row: number; score: number; view: number; place: number }>();
    for (let view = 0; view < hits.queries; view++) {
      for (let place = 0; place < hits.counts[view]!; place++) {
        const row = hits.rows[view * hits.k + place]!;
        const score = hits.scores[view * hits.k + place]!;
        if (score > (best.get(row)?.score ?? -Infinity)) {
          best.set(row, { row, score, view, place });
        }
      }
    }
    return [...best.values()]
      .sort((a, b) => b.score - a.score || a.row - b.row)
      .map(({ row, score, view, place }) => ({ row, score, view, matches: hits.matches(view, place)! }));
  }
}
