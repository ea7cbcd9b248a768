/**
 * What the addon is told of scores over several vectors per document; a part of `addon-types.ts`.
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
