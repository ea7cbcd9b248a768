/**
 * Granule: exact, fine-grained, multimodal retrieval-augmented generation.
 *
 * @module
 */

export { Corpus } from './corpus/corpus.js';
export type { CorpusInfo } from './corpus/corpus-info.js';
export type { CorpusOpenOptions } from './corpus/corpus-options.js';
export type { CorpusEncoders, EncoderRecord, EncoderRole } from './corpus/encoder-records.js';
export { matchesFilter } from './corpus/filter/match-filter.js';
export type {
  FieldCondition,
  FieldPath,
  FilterComparison,
  FilterScalar,
  MetadataFilter,
  ParsedFilter,
} from './corpus/filter/metadata-filter.js';
export { parseFilter, parseFilterText } from './corpus/filter/parse-filter.js';
export type { DeleteTarget } from './corpus/ingest/delete-from-corpus.js';
export type { PutOutcome } from './corpus/ingest/ingest-source.js';
export type { DocumentEntity } from './corpus/ingest/put-document.js';
export type { IngestOptions, IngestProgress, IngestReport, Refusal } from './corpus/ingest-report.js';
export type { CompactReport } from './corpus/maintenance/compact.js';
export type { ReencodeReport } from './corpus/maintenance/reencode.js';
export type { VerifyProblem, VerifyReport } from './corpus/maintenance/verify.js';
export { type SplitPassage, splitPassages } from './corpus/passage-splitter.js';
export type {
  CorpusLine,
  Entity,
  LineDocument,
  LineImage,
  LinePassage,
  Metadata,
  Passage,
} from './corpus/records.js';
export { CorpusSnapshot, type SnapshotCounts } from './corpus/snapshot/corpus-snapshot.js';
export type {
  DocumentHead,
  DocumentRecord,
  EntityRecord,
  ImageRecord,
  PassageRecord,
} from './corpus/snapshot/stored-records.js';
export type { CorpusRecovery } from './corpus/storage/recovery.js';
export {
  DescriptorImageEncoder,
  type DescriptorImageEncoderOptions,
} from './encoders/descriptor/descriptor-image-encoder.js';
export type {
  DivisibleTextEncoder,
  EncodeOptions,
  EncoderIdentity,
  FittedTextEncoder,
  ImageEmbeddings,
  ImageEncoder,
  ImageInput,
  ImageQuery,
  PassageLearner,
  PatchEmbeddings,
  Quads,
  RefinedViews,
  TextEmbeddings,
  TextEncoder,
} from './encoders/encoder.js';
export { NgramTextEncoder, type NgramTextEncoderOptions } from './encoders/ngram/ngram-text-encoder.js';
export { OnnxImageEncoder, type OnnxImageEncoderOptions } from './encoders/onnx/onnx-image-encoder.js';
export type { ImagePreprocessing } from './encoders/onnx/onnx-image-preprocessing.js';
export type { TextPooling } from './encoders/onnx/onnx-pooling.js';
export { OnnxTextEncoder, type OnnxTextEncoderOptions } from './encoders/onnx/onnx-text-encoder.js';
export type { PatchProjection } from './encoders/onnx/patch-projection.js';
export {
  imageEncoderInThreads,
  type ThreadedImageEncoder,
} from './encoders/threads/threaded-image-encoder.js';
export {
  type FittedThreadedTextEncoder,
  type ThreadedTextEncoder,
  textEncoderInThreads,
} from './encoders/threads/threaded-text-encoder.js';
export { ERROR_CODES, type ErrorCode, type ErrorDetails, GranuleError } from './errors.js';
export { type AnswerScores, answerScores } from './evaluation/answer-metrics.js';
export { type PseudoRelevance, pseudoRelevance } from './evaluation/pseudo-relevance.js';
export { hitAt, precisionAt, reciprocalRankAt } from './evaluation/rank-metrics.js';
export { ExtractiveReader, type ExtractiveReaderOptions } from './generators/extractive/extractive-reader.js';
export type { GeneratedAnswer, Generator } from './generators/generator.js';
export { normaliseAnswer } from './generators/normalise-answer.js';
export { generatorInThreads, type ThreadedGenerator } from './generators/threads/threaded-generator.js';
export type { IndexOptions } from './index/arguments.js';
export { type CertifiedPooledSearchOptions, certifiedPooledSearch } from './index/certified-pooled-search.js';
export {
  type AddOptions,
  FlatIndex,
  type FlatSearchOptions,
} from './index/flat-index.js';
export type { Certificate, Hits } from './index/hits.js';
export { MultiVectorHits, type VectorMatches } from './index/multi-vector-hits.js';
export { MultiVectorIndex, type MultiVectorSearchOptions } from './index/multi-vector-index.js';
export type { OpenOptions } from './index/open-index.js';
export { poolQuads } from './index/pool-quads.js';
export {
  type PooledVectors,
  type PoolingOptions,
  type PoolMembers,
  poolVectors,
} from './index/pool-vectors.js';
export { PooledBounds, type PooledBoundsOptions } from './index/pooled-bounds.js';
export { rowFilter } from './index/row-filter.js';
export type { SaveOptions, SaveReport } from './index/save-index.js';
export { SparseIndex } from './index/sparse-index.js';
export type { SparseMatrix } from './index/sparse-matrix.js';
export type {
  Saturation,
  SparseAddOptions,
  SparseIndexOptions,
  SparseOpenOptions,
  SparseSearchOptions,
} from './index/sparse-options.js';
export type { ReadOptions, StoredIndex } from './index/stored-index.js';
export type { ChangeOptions, StoredRows } from './index/stored-rows.js';
export { type TopKSoftmax, type TopKSoftmaxOptions, topKSoftmax } from './index/top-k-softmax.js';
export type { Dtype, Metric, PoolingMethod } from './native/addon-types.js';
export type { Device } from './native/device.js';
export { type RuntimeInfo, runtimeInfo } from './native/runtime-info.js';
export { firstPlaces, type RankedList, rankedList, rankedLists, rowsOfAny } from './ranking/ranked-list.js';
export { MaxSimReranker, type MaxSimSource } from './rerankers/maxsim-reranker.js';
export type { Reranked, Reranker, RerankOptions } from './rerankers/reranker.js';
export {
  DensePassageRetriever,
  type DensePassageRetrieverParts,
} from './retrievers/dense-passage-retriever.js';
export {
  ImageEntityRetriever,
  type ImageEntityRetrieverOptions,
} from './retrievers/image-entity-retriever.js';
export type { ImagePatches, ImageStore, PatchSearchOptions } from './retrievers/image-store.js';
export { type ImageEntities, MemoryImageStore } from './retrievers/memory-image-store.js';
export { MemoryPassageStore, type MemoryPassages } from './retrievers/memory-passage-store.js';
export type { PassageStore, StoreSearchOptions } from './retrievers/passage-store.js';
export type {
  EntityHit,
  EntityImage,
  EntityRetriever,
  Hit,
  ImageHit,
  PassageGroup,
  PassageGroupHit,
  PassageHit,
  PassageRetriever,
  PatchMatch,
  RetrieveOptions,
  Timings,
} from './retrievers/retriever.js';
export {
  SparsePassageRetriever,
  type SparsePassageRetrieverParts,
} from './retrievers/sparse-passage-retriever.js';
export {
  MiRag,
  type MiRagAskOptions,
  type MiRagOptions,
  type MiRagParts,
  type MiRagQuestion,
} from './systems/mirag.js';
export type { AnswerVote, MiRagAnswer, MiRagPassage } from './systems/mirag-answer.js';
export type { MiRagPath, MiRagSelection, PathProbabilities } from './systems/mirag-path.js';
export { formatTrace, type TraceStep } from './systems/mirag-trace.js';
export {
  type OpenedEncoders,
  type OpenedMiRag,
  type OpenMiRagOptions,
  openMiRag,
} from './systems/open-mirag.js';
export {
  type CorpusHits,
  type CorpusQuery,
  type DocumentHit,
  type SearchedCorpus,
  type SearchLevel,
  searchCorpus,
} from './systems/search-corpus.js';
export type { ThreadSpec } from './threads/thread-spec.js';
export type { ThreadOptions } from './threads/thread-team.js';
export { type Matrix, matrix, matrixRow, type RaggedMatrix } from './vectors/matrix.js';
