/**
 * Granule: exact, fine-grained, multimodal retrieval-augmented generation.
 *
 * @module
 */
export { ERROR_CODES, type ErrorCode, type ErrorDetails, GranuleError } from './errors.js';
export type { IndexOptions } from './index/arguments.js';
export { type AddOptions, FlatIndex, type FlatSearchOptions } from './index/flat-index.js';
export type { Hits } from './index/hits.js';
export { MultiVectorHits, type VectorMatches } from './index/multi-vector-hits.js';
export { MultiVectorIndex, type MultiVectorSearchOptions } from './index/multi-vector-index.js';
export { rowFilter } from './index/row-filter.js';
export { type TopKSoftmax, type TopKSoftmaxOptions, topKSoftmax } from './index/top-k-softmax.js';
export type { Metric } from './native/addon-types.js';
export type { Device } from './native/device.js';
export { type RuntimeInfo, runtimeInfo } from './native/runtime-info.js';
export { type Matrix, matrix, matrixRow, type RaggedMatrix } from './vectors/matrix.js';
