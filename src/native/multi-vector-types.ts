/**
 * How the addon scores documents of several vectors, and what it fills in of those that no index holds; a part of `addon-types.ts`.
 *
 * @module
 */

/** Scores over several vectors per document, on the border. */
export const MULTI_VECTOR_SCORE_CODES = {
  maxsim: 0,
  'mean-maxsim': 1,
  'smooth-maxsim': 2,
  'top-mean': 3,
  filip: 4,
  pacl: 5,
  sparc: 6,
  flair: 7,
  'bi-isa': 8,
} as const;

/** The directions of FILIP on the border. */
export const FILIP_DIRECTION_CODES = { both: 0, 'query-to-document': 1, 'document-to-query': 2 } as const;

/** How documents are scored; each score reads those options that it has. */
export interface NativeScoring {
  score: number;
  /** One per query vector, finite and not negative, for the means not all 0; undefined: all 1. */
  weights: Float64Array | undefined;
  temperature: number;
  /** From 1 to 2^32 - 1. */
  most: number;
  direction: number;
  /** The matrices of Bi-ISA, of the order that fits; undefined: the identity. */
  wordMixing: Float32Array | undefined;
  overPatchesMixing: Float32Array | undefined;
  patchMixing: Float32Array | undefined;
  overWordsMixing: Float32Array | undefined;
}

/** What a scoring fills in. */
export interface NativeDocumentScores {
  /** One per document. */
  scores: Float64Array;
  /** Documents x query vectors: the best match, and how similar it is. */
  vectors: Uint32Array;
  similarities: Float32Array;
}

/** What pooling fills in, with room for the sum of what is kept; k-means may use less. */
export interface NativePooledVectors {
  vectors: Float32Array;
  /** Pooled vectors per document. */
  lengths: Uint32Array;
  /** One more than there are pooled vectors. */
  offsets: Uint32Array;
  /** As many as input vectors. */
  rows: Uint32Array;
  radii: Float32Array;
}

/** What a refinement fills in. */
export interface NativeRefinedQuery {
  /** As long as the query. */
  query: Float32Array;
  /** One per document. */
  scores: Float64Array;
  /** One more than there are steps. */
  losses: Float64Array;
}
