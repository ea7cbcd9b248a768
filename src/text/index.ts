/**
 * Texts as terms: analysis, BM25, and learned sparse vectors whose queries need no model.
 *
 * @module
 */
export type { Hits } from '../index/hits.js';
export type { SparseMatrix } from '../index/sparse-matrix.js';
export { type Analyzer, type AnalyzerOptions, analyzer, analyzerFrom } from './analyzer.js';
export { type AnalyzerDescription, sameAnalyzer } from './analyzer-description.js';
export {
  Bm25Index,
  type Bm25IndexOptions,
  type Bm25OpenOptions,
  type Bm25SearchOptions,
} from './bm25-index.js';
export {
  BM25_DEFAULTS,
  type Bm25Parameters,
  bm25Saturation,
  type IdfKind,
  inverseDocumentFrequency,
  termFrequencies,
} from './bm25-weights.js';
export {
  flops,
  type InferenceFreeQueryOptions,
  inferenceFreeQueries,
  pruneWeights,
  type SpladeOptions,
  spladeWeights,
  tokenIdf,
} from './learned-sparse.js';
export { STEMMERS, type Stemmer, type StemmerName, stemmer } from './stemmer.js';
export { STOP_WORDS } from './stop-words.js';
export {
  type NamedTokenizer,
  normaliseText,
  plainTokens,
  segmentTokens,
  type Tokenizer,
} from './tokenizer.js';
export { Vocabulary } from './vocabulary.js';
