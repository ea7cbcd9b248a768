import type { Entity } from '../corpus/records.js';
import type { Quads } from '../encoders/encoder.js';
import { GranuleError } from '../errors.js';
import { FlatIndex } from '../index/flat-index.js';
import type { Hits } from '../index/hits.js';
import type { MultiVectorHits } from '../index/multi-vector-hits.js';
import { MultiVectorIndex } from '../index/multi-vector-index.js';
import type { Matrix, RaggedMatrix } from '../vectors/matrix.js';
import type { ImagePatches, ImageStore, PatchSearchOptions } from './image-store.js';
import { allowedRows, itemAt } from './memory-rows.js';
import type { StoreSearchOptions } from './passage-store.js';

/** Entities with their images' vectors: image i has row i of `vectors` and item i of `patches`. */
export interface ImageEntities {
  readonly entities: readonly Entity[];
  /** Per image, the number of its entity; by default image i is the only one of entity i. */
  readonly owners?: readonly number[] | undefined;
  readonly vectors: Matrix;
  /** Needed for late interaction. */
  readonly patches?: RaggedMatrix | undefined;
  /** The place of each patch, in the order of `patches.data`. */
  readonly patchQuads?: Quads | undefined;
}

/** Images of entities in memory. The first image of an entity has the entity's id, further ones `<id>#2`, `<id>#3` ... */
export class MemoryImageStore implements ImageStore, Disposable {
  readonly counts: { readonly searchableImages: number };
  readonly #index: FlatIndex;
  readonly #patchIndex: MultiVectorIndex | undefined;
  readonly #owners: readonly Entity[];
  readonly #ids: readonly string[];
  readonly #quads: Quads;
  /** Where each image's patches begin, and behind them the end of all. */
  readonly #firstPatches: Uint32Array;

  private constructor(source: ImageEntities, index: FlatIndex, patchIndex: MultiVectorIndex | undefined) {
    const { entities, vectors, patches, patchQuads } = source;
    this.#index = index;
    this.#patchIndex = patchIndex;
    this.#owners = Array.from({ length: vectors.rows }, (_, row) => entities[source.owners?.[row] ?? row]!);
    this.#ids = imageIds(this.#owners);
    this.#quads = patchQuads ?? new Float32Array();
    this.#firstPatches = new Uint32Array((patches?.lengths.length ?? 0) + 1);
    for (const [i, length] of patches?.lengths.entries() ?? []) {
      this.#firstPatches[i + 1] = this.#firstPatches[i]! + length;
    }
    this.counts = { searchableImages: vectors.rows };
  }

  /** @throws GranuleError `LENGTH_MISMATCH` where the arrays do not fit together, and as the indexes' `add` */
  static async build(source: ImageEntities): Promise<MemoryImageStore> {
    checkSource(source);
    const { vectors, patches } = source;
    const index = new FlatIndex({ dimension: vectors.columns });
    await index.add(vectors);
    if (patches === undefined || patches.columns === 0) return new MemoryImageStore(source, index, undefined);
    const patchIndex = new MultiVectorIndex({ dimension: patches.columns });
    await patchIndex.add(patches.data, patches.lengths);
    return new MemoryImageStore(source, index, patchIndex);
  }

  get patchDimension(): number {
    return this.#patchIndex?.dimension ?? 0;
  }

  /** @throws GranuleError `METADATA_FILTER_INVALID`, and as `FlatIndex.search` */
  async searchImages(views: Matrix, options: StoreSearchOptions): Promise<Hits> {
    const { k, filter, temperature, signal } = options;
    return this.#index.search(views, {
      k: Math.min(k, this.#owners.length),
      filter: filter && allowedRows(filter, this.#owners.length, this.#metadataOf),
      temperature,
      signal,
    });
  }

  /** @throws GranuleError `INVALID_ARGUMENT` where the images have no patches, and as `MultiVectorIndex.search` */
  async searchPatches(vectors: Float32Array, options: PatchSearchOptions): Promise<MultiVectorHits> {
    const { filter, k, ...rest } = options;
    return this.#patches().search(vectors, {
      ...rest,
      k: Math.min(k, this.#owners.length),
      filter: filter && allowedRows(filter, this.#owners.length, this.#metadataOf),
    });
  }

  /** @throws GranuleError `ROW_NOT_FOUND`, and as `FlatIndex.read` */
  imageVectors(rows: readonly number[], signal?: AbortSignal): Promise<Matrix> {
    return this.#index.read(Uint32Array.from(rows), { signal });
  }

  /** @throws GranuleError `INVALID_ARGUMENT` where the images have no patches, and as `MultiVectorIndex.read` */
  async imagePatches(rows: readonly number[], signal?: AbortSignal): Promise<ImagePatches> {
    const patches = await this.#patches().read(Uint32Array.from(rows), { signal });
    const quads = new Float32Array((patches.data.length / patches.columns) * 8);
    let at = 0;
    for (const row of rows) {
      const own = this.#quads.subarray(this.#firstPatches[row]! * 8, this.#firstPatches[row + 1]! * 8);
      quads.set(own, at);
      at += own.length;
    }
    return { patches, quads };
  }

  /** @throws GranuleError `ROW_NOT_FOUND` */
  async images(rows: readonly number[]): Promise<{ id: string }[]> {
    return rows.map((row) => ({ id: itemAt(this.#ids, row) }));
  }

  /** @throws GranuleError `ROW_NOT_FOUND` */
  async entitiesOfImages(rows: readonly number[]): Promise<Entity[]> {
    return rows.map((row) => itemAt(this.#owners, row));
  }

  /** Frees the indexes. */
  dispose(): void {
    this.#index.dispose();
    this.#patchIndex?.dispose();
  }

  /** As `dispose`, for `using`. */
  [Symbol.dispose](): void {
    this.dispose();
  }

  readonly #metadataOf = (row: number) => this.#owners[row]!.metadata;

  #patches(): MultiVectorIndex {
    if (this.#patchIndex !== undefined) return this.#patchIndex;
    throw new GranuleError('INVALID_ARGUMENT', 'the images have no patches');
  }
}

function imageIds(owners: readonly Entity[]): string[] {
  const images = new Map<string, number>();
  return owners.map(({ id }) => {
    const number = (images.get(id) ?? 0) + 1;
    images.set(id, number);
    return number === 1 ? id : `${id}#${number}`;
  });
}

function checkSource({ entities, owners, vectors, patches, patchQuads }: ImageEntities): void {
  const patchCount = patches?.lengths.reduce((sum, length) => sum + length, 0) ?? 0;
  if (
    vectors.rows !== (owners ?? entities).length ||
    (patches !== undefined &&
      (patches.lengths.length !== vectors.rows || patchQuads?.length !== patchCount * 8))
  ) {
    throw new GranuleError(
      'LENGTH_MISMATCH',
      'every image needs a vector, and with patches a list of patches and a quad per patch',
      {
        images: (owners ?? entities).length,
        vectors: vectors.rows,
        patches: patches?.lengths.length ?? 0,
      },
    );
  }
  const stray = owners?.find((owner) => entities[owner] === undefined);
  if (stray !== undefined) {
    throw new GranuleError('INVALID_ARGUMENT', `an image is owned by entity ${stray} of ${entities.length}`, {
      owner: stray,
    });
  }
}
