/**
 * Why a document was found, whether the explanation holds, and how diverse a list is.
 *
 * @module
 */
export { type ContrastiveMatches, contrastiveMatches } from './contrastive-matches.js';
export { type DiversifyOptions, diversify } from './diversify.js';
export { deletionCurve, type FaithfulnessCurve, insertionCurve } from './faithfulness-curves.js';
export type { MatchedVectors } from './matched-vectors.js';
export { normalisedEntropy } from './normalised-entropy.js';
export { evidenceOrder, type TokenMatches, tokenMatches } from './token-matches.js';
