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
  /**
   * n values, when `logSumExp` was asked for: L = ln sum_j exp(s_j / t) over all rows j that the search ranges over, in
   * natural units; -Infinity where there are none. exp(s_i / t - L) is the probability of row i among all rows.
   *
   * Evaluated as m / t + ln(2^-62 sum_j floor(2^62 exp((s_j - m) / t))) with m the greatest score: integers add up to the same
   * sum in every order, so L is the same bits for every instruction set, device, number of threads and size of batch. It
   * is too small by less than rows x 2^-62, beside the roundings of float64. Infinite scores count as the greatest float32 of their sign;
   * Infinity or -Infinity where m / t is beyond float64.
   */
  readonly logSumExp?: Float64Array;
  /**
   * n values, when `logSumExp` was asked for: the share of that sum that the query's hits hold, from the same integers. Above 0,
   * at most 1, and 1 where they are all rows; 0 where there are none. A hit's probability times it is its probability
   * among all rows.
   */
  readonly massShare?: Float64Array;
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
