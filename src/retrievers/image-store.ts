import type { Entity } from '../corpus/records.js';
import type { Quads } from '../encoders/encoder.js';
import type { Hits } from '../index/hits.js';
import type { MultiVectorHits } from '../index/multi-vector-hits.js';
import type { Matrix, RaggedMatrix } from '../vectors/matrix.js';
import type { StoreSearchOptions } from './passage-store.js';

/** How to compare pictures with images patch by patch. */
export interface PatchSearchOptions extends StoreSearchOptions {
  /** Rows of images to score; all by default. */
  readonly candidates?: Uint32Array | undefined;
  /** Also return which patches matched. Off by default. */
  readonly explain?: boolean | undefined;
  /** Vectors per query, as for `MultiVectorIndex.search`. */
  readonly lengths?: Uint32Array | undefined;
}

/** Patches of images, one item per image. */
export interface ImagePatches {
  readonly patches: RaggedMatrix;
  /** The place of each patch in its image, in the order of `patches.data`. */
  readonly quads: Quads;
}

/**
 * Images of entities that are searched by their vectors and patches: in memory (`MemoryImageStore`), or a snapshot of a
 * corpus. An entity may have several images; patches have the rows of their images.
 */
export interface ImageStore {
  readonly counts: {
    /** Images that can be found. */
    readonly searchableImages: number;
  };
  /** Numbers of a patch's vector; 0 where the images have no patches. */
  readonly patchDimension: number;
  /**
   * The k images with the highest inner product for each view of a picture; exact.
   *
   * @param views - views x dimension
   */
  searchImages(views: Matrix, options: StoreSearchOptions): Promise<Hits>;
  /** The k images with the highest MaxSim over their patches for each query; exact. */
  searchPatches(vectors: Float32Array, options: PatchSearchOptions): Promise<MultiVectorHits>;
  /** The vectors of images by their rows, in that order. */
  imageVectors(rows: readonly number[], signal?: AbortSignal): Promise<Matrix>;
  /** Patches of images by their rows, in that order. */
  imagePatches(rows: readonly number[], signal?: AbortSignal): Promise<ImagePatches>;
  /** Images by their rows, in that order. */
  images(rows: readonly number[]): Promise<readonly { readonly id: string }[]>;
  /** The entity of each image, by the images' rows, in that order. */
  entitiesOfImages(rows: readonly number[]): Promise<readonly Entity[]>;
}
