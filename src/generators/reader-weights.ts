/** Weights of a reader's features. */
export interface ReaderWeights {
  /** In the order of `CANDIDATE_FEATURES`. */
  readonly candidate: readonly number[];
  /** In the order of `NULL_FEATURES`. */
  readonly none: readonly number[];
}

export const READER_WEIGHTS: ReaderWeights = { candidate: [], none: [] };
