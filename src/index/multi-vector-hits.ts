import type { NativeMultiVectorHits } from '../native/addon-types.js';
import type { Certificate, Hits } from './hits.js';

/** For one hit, per query vector, the document vector that matched it best and how similar they are. */
export interface VectorMatches {
  /** Numbers within the document; the first wins a tie. */
  readonly vectors: Uint32Array;
  readonly similarities: Float32Array;
}

/** The k best documents of each query and, with `explain`, the vectors that matched. */
export class MultiVectorHits implements Hits {
  readonly queries: number;
  readonly k: number;
  readonly rows: Uint32Array;
  readonly scores: Float32Array;
  readonly counts: Uint32Array;
  readonly probabilities?: Float32Array;
  readonly logSumExp?: Float64Array;
  readonly massShare?: Float64Array;
  readonly certificate: Certificate;
  /**
   * With `explain`: for query q of n_q vectors whose first is vector t_q of all, the block at k * t_q holds, for each of
   * its k places in turn, the n_q numbers of the matched document vectors; 0xffffffff in unused places. `matches` cuts
   * out one hit.
   */
  readonly matchedVectors?: Uint32Array;
  /** With `explain`: the similarities of those matches, laid out alike; -Infinity in unused places. */
  readonly matchedSimilarities?: Float32Array;
  readonly #lengths: Uint32Array;

  /** @internal */
  constructor(native: NativeMultiVectorHits, lengths: Uint32Array, k: number, rowsScanned: number) {
    this.queries = lengths.length;
    this.k = k;
    this.rows = native.rows;
    this.scores = native.scores;
    this.counts = native.counts;
    this.certificate = { thresholds: native.thresholds, rowsScanned, rowsRescored: native.rowsRescored };
    if (native.probabilities) this.probabilities = native.probabilities;
    if (native.logSumExp) this.logSumExp = native.logSumExp;
    if (native.massShare) this.massShare = native.massShare;
    if (native.matchedVectors) this.matchedVectors = native.matchedVectors;
    if (native.matchedSimilarities) this.matchedSimilarities = native.matchedSimilarities;
    this.#lengths = lengths;
  }

  /**
   * The matches of one hit, as views, one place per query vector.
   *
   * @param query - number of the query
   * @param place - 0 for its best document
   * @returns undefined without `explain`, and where the place is unused
   */
  matches(query: number, place: number): VectorMatches | undefined {
    if (!this.matchedVectors || !this.matchedSimilarities) return undefined;
    if (!(place >= 0 && place < (this.counts[query] ?? 0))) return undefined;
    const vectors = this.#lengths[query]!;
    let firstVector = 0;
    for (let q = 0; q < query; q++) firstVector += this.#lengths[q]!;
    const start = this.k * firstVector + place * vectors;
    return {
      vectors: this.matchedVectors.subarray(start, start + vectors),
      similarities: this.matchedSimilarities.subarray(start, start + vectors),
    };
  }
}
