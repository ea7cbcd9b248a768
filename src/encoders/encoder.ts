/**
 * What an encoder is. Vectors stay in typed arrays; one call encodes a batch. A text or an image gives one vector and,
 * where the model has them, one vector per token or patch.
 *
 * @module
 */
import type { ThreadSpec } from '../threads/thread-spec.js';
import type { Matrix, RaggedMatrix } from '../vectors/matrix.js';

/** Options of every encoding call. */
export interface EncodeOptions {
  readonly signal?: AbortSignal;
}

/** What identifies an encoder: a corpus that was built with one cannot be queried with another. */
export interface EncoderIdentity {
  readonly name: string;
  readonly version: string;
  /** Numbers of the vector per item. */
  readonly dimension: number;
  /** How a thread makes another one; without it, this one works on the thread that calls it, or looks after threads itself. */
  readonly spec?: ThreadSpec | undefined;
}

/** Text embeddings of n texts. */
export interface TextEmbeddings {
  /** n x dimension. */
  readonly vectors: Matrix;
  /** Per text, one vector per token, where the encoder has them. */
  readonly tokens?: RaggedMatrix;
}

/** Texts to vectors. Queries and passages may be encoded differently. */
export interface TextEncoder extends EncoderIdentity {
  encodeQueries(texts: readonly string[], options?: EncodeOptions): Promise<TextEmbeddings>;
  encodePassages(texts: readonly string[], options?: EncodeOptions): Promise<TextEmbeddings>;
}

/** A text encoder that learns statistics (idf weights) from the passages it will index. */
export interface FittedTextEncoder extends TextEncoder {
  /** Learns from the whole corpus; encoding before the first fit or restore is an error. */
  fit(passages: Iterable<string>): void | Promise<void>;
  /** What `fit` learned, to be kept with the index. */
  state(): Uint8Array;
  restore(state: Uint8Array): void;
}

/** What one of several learners learns from its share of the passages. */
export interface PassageLearner {
  learn(passages: readonly string[]): void;
  /** What was learned, as bytes. */
  part(): Uint8Array;
}

/** A fitted text encoder whose learning can be divided among threads. */
export interface DivisibleTextEncoder extends FittedTextEncoder {
  learner(): PassageLearner;
  /** Learns what the parts have learned: the same as from all their passages, however those were divided. */
  fitParts(parts: readonly Uint8Array[]): void;
}

/** An image: a file's path, or its encoded bytes (PNG, JPEG, WebP, SVG ...). */
export type ImageInput = string | Uint8Array;

/**
 * Quadrilaterals in an image, 8 numbers each: x0 y0 x1 y1 x2 y2 x3 y3 for the corners that are top left, top right,
 * bottom right and bottom left in the upright object; as fractions of the image's width and height.
 */
export type Quads = Float32Array;

/** Embeddings of n images as they are indexed: one vector each, and one per patch. */
export interface ImageEmbeddings {
  /** n x dimension. */
  readonly vectors: Matrix;
  /** Per image, its patches' vectors (patchDimension columns), where the encoder has them. */
  readonly patches?: RaggedMatrix;
  /** The place of each patch, in the order of `patches.data`. */
  readonly patchQuads?: Quads;
}

/** Patch vectors of chosen views of one picture. */
export interface PatchEmbeddings {
  readonly patches: RaggedMatrix;
  readonly patchQuads: Quads;
}

/** Views of one picture after they were fitted, with their patch vectors. */
export interface RefinedViews extends PatchEmbeddings {
  /** The place of each view in the picture. */
  readonly viewQuads: Quads;
}

/**
 * A picture as a query. An object may sit anywhere in it, so it is looked at through one or more views (the whole
 * picture, or windows in it); an indexed image's score is its best over the views.
 */
export interface ImageQuery {
  /** views x dimension. */
  readonly views: Matrix;
  /** The place of each view in the picture. */
  readonly viewQuads: Quads;
  /** Patch vectors of some views, by their numbers, in that order; absent where the encoder has no patches. */
  patchesOf?(views: readonly number[], options?: EncodeOptions): Promise<PatchEmbeddings>;
  /**
   * Fits views to indexed images (place, shape, light) and gives the patch vectors of the views so fitted; absent where
   * the encoder cannot. View `views[i]` is fitted to item i of `targets`, the patch vectors of indexed images.
   */
  refine?(views: readonly number[], targets: RaggedMatrix, options?: EncodeOptions): Promise<RefinedViews>;
  /**
   * Frees what the query keeps for `patchesOf` and `refine`, which are not to be called afterwards; absent where there is
   * nothing to free. A query that is forgotten is freed by the garbage collector.
   */
  release?(): void;
}

/** Images to vectors. */
export interface ImageEncoder extends EncoderIdentity {
  /** Numbers of a patch's vector; 0 where the encoder has none. */
  readonly patchDimension: number;
  /** Encodes images for an index. */
  encodeImages(images: readonly ImageInput[], options?: EncodeOptions): Promise<ImageEmbeddings>;
  /** Encodes one picture for searching. */
  encodeQuery(image: ImageInput, options?: EncodeOptions): Promise<ImageQuery>;
}
