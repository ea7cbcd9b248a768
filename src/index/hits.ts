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
  /** How the result was reached. */
  readonly certificate: Certificate;
}

/** What makes a result exact: every row that was left out has an upper bound below a score that k rows reach. */
export interface Certificate {
  /** Per query, the score that at least k rows reach; -Infinity where every row was scored in full. */
  readonly thresholds: Float32Array;
  /** Rows that each query was compared with. */
  readonly rowsScanned: number;
  /** Per query, the rows that were scored in full. */
  readonly rowsRescored: Uint32Array;
}
