/**
 * Approximate candidates: faster than the exact searches, or smaller, and never in their place unless they are asked for.
 *
 * @module
 */

export { type ApproximateList, recallAgainst } from './approximate-list.js';
export { IvfIndex, type IvfOptions, type IvfSearchOptions } from './ivf-index.js';
export {
  type AssignmentOptions,
  assignToNearest,
  type Clusters,
  type KMeansOptions,
  kMeans,
} from './k-means.js';
export {
  FixedDimensionalEncoder,
  type FixedDimensionalEncodingOptions,
} from './muvera/fixed-dimensional-encoder.js';
export { MuveraIndex, type MuveraOptions, type MuveraSearchOptions } from './muvera/muvera-index.js';
export { PlaidIndex, type PlaidOptions, type PlaidSearchOptions } from './plaid/plaid-index.js';
export { type PlaidReach, plaidReach } from './plaid/plaid-stages.js';
export {
  decodeResiduals,
  encodeResiduals,
  type ResidualBits,
  type ResidualCodec,
  type ResidualCodes,
  residualBuckets,
} from './plaid/residual-codec.js';
export { XtrIndex, type XtrList, type XtrOptions, type XtrSearchOptions } from './xtr-index.js';
