import { rm } from 'node:fs/promises';
import { syncFolder } from '../../files/durable-file.js';
import { FlatIndex } from '../../index/flat-index.js';
import { MultiVectorIndex } from '../../index/multi-vector-index.js';
import type { CorpusStateDraft, Space } from '../database/corpus-state.js';
import type { Step } from '../database/database-thread.js';
import type { CorpusFiles } from '../storage/corpus-files.js';
import { type Dimensions, SPACES } from '../storage/index-set.js';

/** The folders of the indexes that will be the next generation; nothing names them until a transaction does. */
export class NewGeneration {
  readonly generation: number;
  readonly #files: CorpusFiles;
  readonly #flat = new Map<Space, FlatIndex>();
  readonly #patches: MultiVectorIndex | undefined;

  private constructor(files: CorpusFiles, generation: number, dimensions: Dimensions) {
    this.#files = files;
    this.generation = generation;
    for (const space of ['passages', 'images'] as const) {
      if (dimensions[space] > 0) this.#flat.set(space, new FlatIndex({ dimension: dimensions[space] }));
    }
    if (dimensions.patches > 0) this.#patches = new MultiVectorIndex({ dimension: dimensions.patches });
  }

  /** Begins without rows; what an interrupted rebuild has left there is deleted. */
  static async begin(files: CorpusFiles, generation: number, dimensions: Dimensions): Promise<NewGeneration> {
    await rm(files.generation(generation), { recursive: true, force: true });
    return new NewGeneration(files, generation, dimensions);
  }

  /** Appends vectors of passages or of whole images. */
  async addVectors(space: 'passages' | 'images', vectors: Float32Array, signal?: AbortSignal): Promise<void> {
    if (vectors.length > 0) await this.#flat.get(space)!.add(vectors, { signal });
  }

  /** Appends the patches of images. */
  async addPatches(vectors: Float32Array, lengths: Uint32Array, signal?: AbortSignal): Promise<void> {
    if (lengths.length > 0) await this.#patches!.add(vectors, lengths, { signal });
  }

  rows(space: Space): number {
    return (space === 'patches' ? this.#patches : this.#flat.get(space))?.rows ?? 0;
  }

  /** Writes the folders, all of it to the disk. */
  async save(signal?: AbortSignal): Promise<void> {
    for (const space of SPACES) {
      const index = space === 'patches' ? this.#patches : this.#flat.get(space);
      if (index !== undefined && index.rows > 0)
        await index.save(this.#files.index(this.generation, space), { signal });
    }
    await syncFolder(this.#files.indexes);
  }

  /** Names this generation in a state, in which nothing is dead and nothing waits in the journal. */
  takeOver(state: CorpusStateDraft): Step[] {
    const rows = {
      passages: this.rows('passages'),
      images: this.rows('images'),
      patches: this.rows('patches'),
    };
    Object.assign(state, {
      generation: this.generation,
      passageRows: rows.passages,
      imageRows: rows.images,
      deadPassages: 0,
      deadImages: 0,
      savedPassages: rows.passages,
      savedImages: rows.images,
      savedPatches: rows.patches,
      journalRecords: 0,
      journalBytes: 0,
    });
    return [{ kind: 'exec', sql: 'DELETE FROM dead; DELETE FROM journal' }];
  }

  /** Frees the memory. */
  dispose(): void {
    for (const index of this.#flat.values()) index.dispose();
    this.#patches?.dispose();
  }
}
