import { GranuleError } from '../../errors.js';
import { FlatIndex } from '../../index/flat-index.js';
import type { Matrix } from '../../vectors/matrix.js';
import type { ForwardOptions, Tower } from '../towers/tower.js';
import { TowerHits } from './tower-hits.js';

/** Exact search among frozen vectors with queries that a tower maps. */
export class TowerSearch implements Disposable {
  readonly tower: Tower;
  /** The frozen vectors. */
  readonly vectors: Matrix;
  readonly #index: FlatIndex;

  private constructor(tower: Tower, vectors: Matrix, index: FlatIndex) {
    this.tower = tower;
    this.vectors = vectors;
    this.#index = index;
  }

  /**
   * @param vectors - frozen, as many numbers each as the tower's outputs; they are not copied for the gradients: leave them as they are
   * @throws GranuleError `LENGTH_MISMATCH`, `NOT_FINITE`, `OUT_OF_MEMORY`, `ABORTED`
   */
  static async create(tower: Tower, vectors: Matrix, signal?: AbortSignal): Promise<TowerSearch> {
    if (vectors.columns !== tower.output) {
      throw new GranuleError(
        'LENGTH_MISMATCH',
        `the tower gives ${tower.output} numbers, and the vectors to search have ${vectors.columns}`,
        { length: tower.output, expected: vectors.columns },
      );
    }
    const index = new FlatIndex({ dimension: vectors.columns });
    await index.add(vectors, { signal });
    return new TowerSearch(tower, vectors, index);
  }

  /**
   * Maps `inputs` and finds the k best rows for each: s = <tower(x), row>.
   *
   * @throws GranuleError `K_OUT_OF_RANGE`, and what the tower and the index throw
   */
  async search(inputs: Matrix, k: number, options: ForwardOptions = {}): Promise<TowerHits> {
    const pass = await this.tower.forward(inputs, options);
    const { rows, scores } = await this.#index.search(pass.outputs, { k, signal: options.signal });
    return new TowerHits(pass, this.vectors, rows, scores, k);
  }

  /** Frees the index. */
  dispose(): void {
    this.#index.dispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}
