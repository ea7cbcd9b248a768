import { FlatIndex } from '../../index/flat-index.js';
import type { Hits } from '../../index/hits.js';
import type { Matrix } from '../../vectors/matrix.js';
import type { PassOptions } from '../towers/native-tower.js';
import type { RetrieverTowers } from './retriever-towers.js';

/** Queries that are searched for at once, so that their hits never take much memory. */
const QUERIES = 1024;

/** The documents as the towers of the moment map them, in an exact index; made when it is first asked for. */
export class DocumentIndex implements Disposable {
  readonly #towers: RetrieverTowers;
  readonly #documents: Matrix;
  readonly #options: PassOptions;
  #index: FlatIndex | undefined;
  /** The step after which the index was made; documents without a tower stay as they are. */
  #step = -1;

  constructor(towers: RetrieverTowers, documents: Matrix, options: PassOptions) {
    this.#towers = towers;
    this.#documents = documents;
    this.#options = options;
  }

  /**
   * The best documents of each query; exact.
   *
   * @param step - steps that were taken
   * @param visit - sees the hits of some queries, the first of which is `first`
   */
  async search(
    queries: Matrix,
    k: number,
    step: number,
    visit: (hits: Hits, first: number) => void,
  ): Promise<void> {
    const index = await this.#at(step);
    for (let first = 0; first < queries.rows; first += QUERIES) {
      const rows = Math.min(QUERIES, queries.rows - first);
      const { columns } = queries;
      const data = queries.data.subarray(first * columns, (first + rows) * columns);
      const mapped = await this.#towers.encodeQueries({ data, rows, columns }, this.#options);
      const { signal } = this.#options;
      visit(await index.search(mapped, { k: Math.min(k, this.#documents.rows), signal }), first);
    }
  }

  async #at(step: number): Promise<FlatIndex> {
    const isCurrent = this.#step === step || this.#towers.document === undefined;
    if (this.#index !== undefined && isCurrent) return this.#index;
    this.#index?.dispose();
    this.#index = undefined;
    const { threads, signal } = this.#options;
    const vectors = await this.#towers.encodeDocuments(this.#documents, this.#options);
    const index = new FlatIndex({ dimension: vectors.columns, threads });
    await index.add(vectors, { signal });
    this.#index = index;
    this.#step = step;
    return index;
  }

  [Symbol.dispose](): void {
    this.#index?.dispose();
  }
}
