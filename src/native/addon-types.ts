/**
 * The only description of the native addon. Everything here is trusted by C++: the classes of `src/index`
 * check arguments before they call it, except for what costs time in proportion to the data (finite values,
 * lengths of documents), which the addon checks off the JavaScript thread.
 *
 * Arrays that are passed in are read, at their `byteOffset`, until the returned promise settles.
 * A rejected promise carries a `GranuleError`.
 *
 * @module
 */
import type {
  NativeDocumentScores,
  NativePooledVectors,
  NativeRefinedQuery,
  NativeScoring,
} from './multi-vector-types.js';
import type { NativeCancelToken } from './native-cancel-token.js';
import type { NativeTraining } from './training-types.js';

/** Metric codes on the border: inner product, cosine, negated squared Euclidean distance. */
export const METRIC_CODES = { ip: 0, cosine: 1, l2: 2 } as const;

/** Dtype codes on the border: float32, IEEE binary16, bfloat16. */
export const DTYPE_CODES = { f32: 0, f16: 1, bf16: 2 } as const;

/** How an index keeps the numbers of its vectors. */
export type Dtype = keyof typeof DTYPE_CODES;

/** How rows are compared with a query. */
export type Metric = keyof typeof METRIC_CODES;

/** A lock file, which one holder has at a time among all processes; it is free again when its holder's process ends. */
export interface NativeFileLock {
  /** Makes the file where there is none; rejects with `INDEX_LOCKED` where somebody else holds it. */
  acquire(path: string): Promise<void>;
  release(): void;
}

export interface NativeIndexOptions {
  dimension: number;
  metric: (typeof METRIC_CODES)[Metric];
  dtype: (typeof DTYPE_CODES)[Dtype];
  /** Most threads that one call may use; 0 means one per core. */
  threads: number;
  /** Name of an available backend (`runtimeInfo().backends`). */
  backend: string;
  /** Whether rows get int8 codes, by which a search leaves out most of them. */
  codes: boolean;
}

export interface NativeFlatSearchOptions {
  k: number;
  /** Softmax temperature; 0 means that no probabilities are wanted. */
  temperature: number;
  /** Whether the log-sum-exp over all rows is wanted, at that temperature. */
  logSumExp: boolean;
  /** Bitset of allowed rows, bit r & 7 of byte r >> 3. */
  filter: Uint8Array | undefined;
  cancel: NativeCancelToken | undefined;
  /** Name of an available backend; undefined: the index's own. */
  backend: string | undefined;
}

export interface NativeHits {
  /** queries x k, best first; 0xffffffff where fewer rows were allowed. */
  rows: Uint32Array;
  /** queries x k; -Infinity where unused. */
  scores: Float32Array;
  /** Used places, one count per query. */
  counts: Uint32Array;
  /** queries x k; 0 where unused. */
  probabilities: Float32Array | undefined;
  /** Per query: a score that k rows surely reach, -Infinity where no codes were used. */
  thresholds: Float32Array;
  /** Per query: rows scored by the reference arithmetic. */
  rowsRescored: Uint32Array;
  /** Per query: ln of the sum of exp(score / temperature) over all rows that were allowed; -Infinity without any. */
  logSumExp: Float64Array | undefined;
  /** Per query: share of that sum that its hits hold; 0 without any. */
  massShare: Float64Array | undefined;
}

/** A segment file that was written and flushed to the disk. */
export interface NativeWrittenSegment {
  rows: number;
  /** Undefined where rows are not vectors. */
  vectors: number | undefined;
  /** Of the whole file. */
  bytes: number;
  /** All that comes before the tensors. */
  header: Uint8Array;
}

/** A segment file whose header was checked: what lies where follows from these numbers. */
export interface NativeSegmentFile {
  path: string;
  /** Its name, for messages. */
  file: string;
  /** Bytes before the tensors. */
  headerBytes: number;
  rows: number;
  /** CRC-32C of each tensor, in file order. */
  checksums: Uint32Array;
}

export interface NativeVectorSegmentFile extends NativeSegmentFile {
  vectors: number;
  coded: boolean;
  biased: boolean;
}

export interface NativeSparseSegmentFile extends NativeSegmentFile {
  terms: number;
  postings: number;
}

/**
 * What all indexes do alike. No two of add, reserve, remove, compact, adoptCompaction, writeSegment, copyRemoved and openSegments
 * may overlap.
 */
export interface NativeStore {
  readonly rows: number;
  /** Rows that were removed since the last compaction. */
  readonly removed: number;
  /** Bytes of memory that the index holds outside of the JavaScript heap; vectors that stay in files do not count. */
  readonly bytes: number;
  /** Takes rows out of later searches; resolves to how many there were. */
  remove(rows: Uint32Array): Promise<number>;
  /** Prepares an index without the removed rows; resolves to the former number of each row. */
  compact(cancel: NativeCancelToken | undefined): Promise<Uint32Array>;
  /** Shows the rows of the compaction that was prepared; false where there is none. */
  adoptCompaction(): boolean;
  /** Writes rows from `firstRow`, one that exists, on: as many as go into one file. */
  writeSegment(
    path: string,
    firstRow: number,
    cancel: NativeCancelToken | undefined,
  ): Promise<NativeWrittenSegment>;
  /** Sets bit r & 7 of byte r >> 3 where row r is removed, and clears the others; `bits` has ceil(rows / 8) bytes. */
  copyRemoved(bits: Uint8Array): Promise<void>;
  /**
   * Fills an index without rows.
   *
   * @param files - as the kind of index has them
   * @param removed - as `copyRemoved` gives it; undefined where no row is removed
   * @param mapped - leave vectors in the files, and check them when they are first used
   */
  openSegments(
    files: NativeSegmentFile[],
    removed: Uint8Array | undefined,
    mapped: boolean,
    cancel: NativeCancelToken | undefined,
  ): Promise<void>;
  /** Frees the memory; searches under way keep theirs until they end. */
  dispose(): void;
}

/** What the two indexes of vectors do alike. */
export interface NativeIndex extends NativeStore {
  /** Whether rows were given biases. */
  readonly biased: boolean;
  /** Makes room for vectors that are still to be added, in memory that is there already. */
  reserve(vectors: number, cancel: NativeCancelToken | undefined): Promise<void>;
}

export interface NativeFlatIndex extends NativeIndex {
  /**
   * Appends `rows` rows of `dimension` float32 values each, and what is added to each row's score; resolves to the
   * number of the first.
   */
  add(
    vectors: Float32Array,
    rows: number,
    biases: Float32Array | undefined,
    cancel: NativeCancelToken | undefined,
  ): Promise<number>;
  search(queries: Float32Array, queryCount: number, options: NativeFlatSearchOptions): Promise<NativeHits>;
  /** The stored vectors of rows, widened to float32; rejects with `ROW_NOT_FOUND` for one that never was. */
  read(rows: Uint32Array, cancel: NativeCancelToken | undefined): Promise<Float32Array>;
}

export interface NativeMultiVectorSearchOptions extends NativeFlatSearchOptions {
  /** Documents to score, in any order, repeats allowed; undefined scores all. */
  candidates: Uint32Array | undefined;
  explain: boolean;
}

export interface NativeMultiVectorHits extends NativeHits {
  /**
   * With `explain`: for query q of n_q vectors that starts at vector t_q, the block at k * t_q holds, for each of its k
   * hits in turn, n_q numbers of the matched document vector (0xffffffff where unused).
   */
  matchedVectors: Uint32Array | undefined;
  /** Similarities of those matches, laid out alike; -Infinity where unused. */
  matchedSimilarities: Float32Array | undefined;
}

export interface NativeMultiVectorIndex extends NativeIndex {
  /** Number of vectors over all documents. */
  readonly vectors: number;
  /**
   * Appends documents of `lengths[i]` vectors each, and what is added to each document's score; resolves to the number
   * of the first document.
   */
  add(
    vectors: Float32Array,
    lengths: Uint32Array,
    biases: Float32Array | undefined,
    cancel: NativeCancelToken | undefined,
  ): Promise<number>;
  /** `lengths[i]` vectors make up query i. */
  search(
    queryVectors: Float32Array,
    lengths: Uint32Array,
    options: NativeMultiVectorSearchOptions,
  ): Promise<NativeMultiVectorHits>;
  /** As in `NativeFlatIndex`; `lengths`, one per document, receives how many vectors each has. */
  read(
    documents: Uint32Array,
    lengths: Uint32Array,
    cancel: NativeCancelToken | undefined,
  ): Promise<Float32Array>;
}

export interface NativeSparseIndexOptions {
  /** Most threads that one call may use; 0 means one per core. */
  threads: number;
  /** Whether rows have lengths, and values above 0, so that a search may saturate the values. */
  saturating: boolean;
}

/** Row i owns `lengths[i]` consecutive entries of `terms` and `values`, which are of one length. */
export interface NativeSparseRows {
  lengths: Uint32Array;
  terms: Uint32Array;
  values: Float32Array;
}

export interface NativeSparseSearchOptions {
  k: number;
  /** Softmax temperature; 0 means that no probabilities are wanted. */
  temperature: number;
  /** Bitset of allowed rows, bit r & 7 of byte r >> 3. */
  filter: Uint8Array | undefined;
  /** Values w of a row count as w / (w + (base + slope * length of the row)); undefined: as they are. */
  saturation: { base: number; slope: number } | undefined;
  cancel: NativeCancelToken | undefined;
}

/**
 * Checks off the JavaScript thread that lengths add up (`LENGTH_MISMATCH`), that the terms of a row ascend
 * (`INVALID_ARGUMENT`), that values are finite (`NOT_FINITE`) and, where the index is saturating, above 0.
 */
export interface NativeSparseIndex extends NativeStore {
  /** Entries of all rows, removed ones included. */
  readonly postings: number;
  /** Sum of the rows' lengths, removed ones included. */
  readonly totalLength: number;
  /** Rows that hold each term, removed ones included. */
  documentFrequencies(terms: Uint32Array): Uint32Array;
  /** Appends rows, with one length each where the index is saturating; resolves to the number of the first. */
  add(
    rows: NativeSparseRows,
    lengths: Float32Array | undefined,
    cancel: NativeCancelToken | undefined,
  ): Promise<number>;
  search(
    queries: NativeSparseRows,
    options: NativeSparseSearchOptions,
  ): Promise<Omit<NativeHits, 'logSumExp' | 'massShare'>>;
}

/** Pooling methods on the border: hierarchical clustering with Ward's linkage, k-means. */
export const POOLING_METHOD_CODES = { ward: 0, kmeans: 1 } as const;

/** How the vectors of a document are divided into groups. */
export type PoolingMethod = keyof typeof POOLING_METHOD_CODES;

/** How a call over vectors that no index holds runs. */
export interface NativeVectorCall {
  dimension: number;
  /** Most threads that the call may use; 0 means one per core. */
  threads: number;
  cancel: NativeCancelToken | undefined;
}

export interface NativePoolingOptions extends NativeVectorCall {
  metric: (typeof METRIC_CODES)[Metric];
  method: (typeof POOLING_METHOD_CODES)[PoolingMethod];
  /** First vectors of each document that are kept as they are. */
  protect: number;
}

export interface NativeRefinementOptions extends NativeVectorCall {
  /** Share of the complementary scores in the target. */
  weight: number;
  temperature: number;
  learningRate: number;
  steps: number;
  /** Whether the target is computed anew at each step. */
  movingTarget: boolean;
}

export interface NativeSoftmaxTopK {
  /** Positions in `scores`, best first. */
  rows: Uint32Array;
  scores: Float32Array;
  probabilities: Float32Array;
  /** ln of the sum of exp(score / temperature) over all scores, in float64. */
  logSumExp: number;
  /** Share of that sum that the k returned scores hold. */
  mass: number;
}

export interface NativeRuntimeInfo {
  /** Version of the backend interface. */
  abi: number;
  /** Instruction set whose kernels run: 'scalar', 'avx2', 'avxvnni', 'avx512', 'avx512vnni', 'neon', 'neondot', 'neoni8mm'. */
  isa: string;
  /** Why that one. */
  isaReason: string;
  /** Instruction sets that were compiled in and that this processor runs. */
  isaAvailable: string[];
  cpuFeatures: string[];
  threads: number;
  /** Every known backend, in order of preference, with the reason where one cannot run. */
  backends: { name: string; available: boolean; reason: string }[];
  /** Operation to symbol of the kernel that runs it. */
  kernels: Record<string, string>;
  compiler: string;
}

export interface NativeAddon extends NativeTraining {
  /** Which description of the border it was written for: that of `border.ts`. The loader refuses another one. */
  border: string;
  /** Hands over the error class; called once after loading, before anything else. */
  initialize(errorClass: new (code: string, message: string, details: object) => Error): void;
  CancelToken: new () => NativeCancelToken;
  FileLock: new () => NativeFileLock;
  FlatIndex: new (options: NativeIndexOptions) => NativeFlatIndex;
  MultiVectorIndex: new (options: NativeIndexOptions) => NativeMultiVectorIndex;
  SparseIndex: new (options: NativeSparseIndexOptions) => NativeSparseIndex;
  /**
   * Pools each document of `lengths[i]` vectors, which add up, to at most `kept[i]`; fills `result` and resolves to the
   * number of pooled vectors.
   */
  poolVectors(
    vectors: Float32Array,
    lengths: Uint32Array,
    kept: Uint32Array,
    options: NativePoolingOptions,
    result: NativePooledVectors,
  ): Promise<number>;
  /**
   * Moves a query towards documents of `lengths[i]` vectors, which add up and of which none is 0, by guided refinement;
   * fills `result` and resolves to the number of similarities that were computed.
   */
  refineQuery(
    query: Float32Array,
    documents: Float32Array,
    lengths: Uint32Array,
    complementary: Float64Array,
    options: NativeRefinementOptions,
    result: NativeRefinedQuery,
  ): Promise<number>;
  /** Scores documents of `lengths[i]` vectors, which add up, by the similarities of their vectors and the query's; fills `result`. */
  scoreDocuments(
    query: Float32Array,
    documents: Float32Array,
    lengths: Uint32Array,
    options: NativeScoring & NativeVectorCall,
    result: NativeDocumentScores,
  ): Promise<void>;
  /** Fills `tile`, query vectors x document vectors, with their inner products. */
  similarityTile(
    query: Float32Array,
    document: Float32Array,
    options: NativeVectorCall,
    tile: Float32Array,
  ): Promise<void>;
  softmaxTopK(scores: Float32Array, k: number, temperature: number): Promise<NativeSoftmaxTopK>;
  /**
   * Bounds what the C library's allocator keeps, for the whole process: where it has `arenas` it adds none, and blocks of
   * `mappedBytes` and more go back to the system when they are freed.
   *
   * @returns false where the C library cannot be told (only glibc can), and nothing was changed
   */
  boundAllocator(arenas: number, mappedBytes: number): boolean;
  runtimeInfo(): NativeRuntimeInfo;
}
