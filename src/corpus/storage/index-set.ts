import { GranuleError } from '../../errors.js';
import { FlatIndex } from '../../index/flat-index.js';
import { MultiVectorIndex } from '../../index/multi-vector-index.js';
import type { Device } from '../../native/device.js';
import type { CorpusState, Space } from '../database/corpus-state.js';
import type { CorpusFiles } from './corpus-files.js';

/** Numbers of the vectors in each space; 0 where a corpus has no such vectors. */
export type Dimensions = Readonly<Record<Space, number>>;

/** Consecutive rows of one space. */
export interface RowVectors {
  readonly space: Space;
  /** Number of the first row. */
  readonly row: number;
  readonly rows: number;
  readonly vectors: Float32Array;
  /** Vectors per row, in the space of patches. */
  readonly lengths?: Uint32Array;
}

/** How to open indexes. */
export interface OpenIndexesOptions {
  readonly device?: Device | undefined;
  readonly signal?: AbortSignal | undefined;
}

export const SPACES: readonly Space[] = ['passages', 'images', 'patches'];

/**
 * The indexes of one generation. Rows are only ever appended, in order, so that whoever knows how many there were at his
 * time can go on with them. Freed when its last user has released it.
 */
export class IndexSet {
  readonly generation: number;
  readonly dimensions: Dimensions;
  readonly #files: CorpusFiles;
  readonly #flat: ReadonlyMap<Space, FlatIndex>;
  readonly #patches: MultiVectorIndex | undefined;
  #users = 1;
  #appending = 0;

  private constructor(
    files: CorpusFiles,
    generation: number,
    dimensions: Dimensions,
    flat: ReadonlyMap<Space, FlatIndex>,
    patches: MultiVectorIndex | undefined,
  ) {
    this.#files = files;
    this.generation = generation;
    this.dimensions = dimensions;
    this.#flat = flat;
    this.#patches = patches;
  }

  /**
   * Opens the folders of a generation; vectors stay in the files.
   *
   * @param state - says which of the folders must be there
   * @throws GranuleError `CORPUS_INVALID`, naming the file; `FILE_NOT_FOUND` where a folder that should be there is not, as
   * happens when a rebuild has replaced the generation; `DEVICE_UNAVAILABLE`, `OUT_OF_MEMORY`, `ABORTED`
   */
  static async open(
    files: CorpusFiles,
    state: CorpusState,
    dimensions: Dimensions,
    { device, signal }: OpenIndexesOptions,
  ): Promise<IndexSet> {
    const { generation } = state;
    const saved = { passages: state.savedPassages, images: state.savedImages, patches: state.savedPatches };
    const opened = new Map<Space, FlatIndex | MultiVectorIndex>();
    try {
      for (const space of SPACES) {
        const dimension = dimensions[space];
        if (dimension === 0) continue;
        const folder = files.index(generation, space);
        const kind = space === 'patches' ? MultiVectorIndex : FlatIndex;
        const index = await kind.open(folder, { mmap: true, device, signal }).catch((error: unknown) => {
          const code = (error as GranuleError).code;
          if (code === 'FILE_NOT_FOUND' && saved[space] === 0) return new kind({ dimension, device });
          throw named(error, folder);
        });
        opened.set(space, index);
        if (index.dimension !== dimension || index.rows < saved[space]) {
          throw new GranuleError(
            'CORPUS_INVALID',
            `${folder} holds ${index.rows} rows of ${index.dimension} numbers where the corpus has ${saved[space]} of ${dimension}`,
            { file: folder },
          );
        }
      }
    } catch (error) {
      for (const index of opened.values()) index.dispose();
      throw error;
    }
    const patches = opened.get('patches') as MultiVectorIndex | undefined;
    opened.delete('patches');
    return new IndexSet(files, generation, dimensions, opened as Map<Space, FlatIndex>, patches);
  }

  /** The vectors of passages or of whole images; undefined where the corpus has none. */
  flat(space: 'passages' | 'images'): FlatIndex | undefined {
    return this.#flat.get(space);
  }

  /** The vectors of the images' patches; undefined where the corpus has none. */
  get patches(): MultiVectorIndex | undefined {
    return this.#patches;
  }

  /** Whether rows are being appended: a search may see them before they count. */
  get appending(): boolean {
    return this.#appending > 0;
  }

  /** Rows in a space; 0 where the corpus has no such vectors. */
  rows(space: Space): number {
    return this.#index(space)?.rows ?? 0;
  }

  /** Whether a space lacks rows of this state. */
  lacks(state: CorpusState, space: Space): boolean {
    const rows = space === 'passages' ? state.passageRows : state.imageRows;
    return this.dimensions[space] > 0 && this.rows(space) < rows;
  }

  /**
   * Appends those of the given rows that are not there yet. Calls must not overlap.
   *
   * @returns whether the rows followed on those that are there
   */
  async append({ space, row, rows, vectors, lengths }: RowVectors, signal?: AbortSignal): Promise<boolean> {
    const present = this.rows(space);
    if (row > present) return false;
    const skipped = present - row;
    if (skipped >= rows) return true;
    const dimension = this.dimensions[space];
    this.#appending += 1;
    try {
      if (space === 'patches') {
        const before = lengths!.subarray(0, skipped).reduce((sum, length) => sum + length, 0);
        await this.#patches!.add(vectors.subarray(before * dimension), lengths!.subarray(skipped), {
          signal,
        });
      } else {
        await this.#flat.get(space)!.add(vectors.subarray(skipped * dimension), { signal });
      }
    } finally {
      this.#appending -= 1;
    }
    return true;
  }

  /**
   * Writes what is new in a space to its folder.
   *
   * @returns rows in the folder
   * @throws GranuleError `INDEX_EXISTS` where another process has saved to the folder since it was opened; `FILE_NOT_WRITABLE`
   */
  async save(space: Space): Promise<number> {
    const index = this.#index(space);
    if (index === undefined || index.rows === 0) return 0;
    const { rows } = await index.save(this.#files.index(this.generation, space));
    return rows;
  }

  /** One more user. */
  retain(): this {
    this.#users += 1;
    return this;
  }

  /** One user less; the last one frees the indexes. */
  release(): void {
    this.#users -= 1;
    if (this.#users > 0) return;
    for (const index of this.#flat.values()) index.dispose();
    this.#patches?.dispose();
  }

  #index(space: Space): FlatIndex | MultiVectorIndex | undefined {
    return space === 'patches' ? this.#patches : this.#flat.get(space);
  }
}

/** An index's complaint about a file, with the file's whole path and as the corpus' own. */
function named(error: unknown, folder: string): unknown {
  if (!(error instanceof GranuleError) || !['INDEX_CORRUPT', 'INVALID_ARGUMENT'].includes(error.code))
    return error;
  const file = typeof error.details['file'] === 'string' ? `${folder}/${error.details['file']}` : folder;
  return new GranuleError('CORPUS_INVALID', `${folder}: ${error.message}`, { file }, { cause: error });
}
