/** The k best rows of each of n queries. Query i owns the places i * k to (i + 1) * k, best first. */
export interface Hits {
  /** Number of queries, n. */
  readonly queries: number;
  /** Places per query. */
  readonly k: number;
  /** n x k row numbers; 0xffffffff in unused places. */
  readonly rows: Uint32Array;
  /** n x k scores; -Infinity in unused places. */
  readonly scores: Float32Array;
  /** Used places per query: less than k where a filter or a list of candidates leaves fewer rows. */
  readonly counts: Uint32Array;
  /** n x k, when a temperature was given: exp(s_i / t) / sum_j exp(s_j / t) over the query's hits; 0 in unused places. */
  readonly probabilities?: Float32Array;
}
