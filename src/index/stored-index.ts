import type { Dtype, Metric, NativeIndex, NativeIndexOptions } from '../native/addon-types.js';
import {
  checkIndexOptions,
  checkKeys,
  checkReservation,
  checkSignal,
  type IndexOptions,
} from './arguments.js';
import type { VectorIndexKind } from './index-manifest.js';
import { type ChangeOptions, StoredRows } from './stored-rows.js';

/** Options of `read`. */
export interface ReadOptions {
  readonly signal?: AbortSignal | undefined;
}

/** What `FlatIndex`, whose rows are vectors, and `MultiVectorIndex`, whose rows are documents, do alike. */
export abstract class StoredIndex<T extends NativeIndex> extends StoredRows<T> {
  readonly dimension: number;
  readonly metric: Metric;
  readonly dtype: Dtype;
  readonly #vectorBytes: number;

  /** @internal */
  protected constructor(
    kind: VectorIndexKind,
    options: IndexOptions,
    make: (options: NativeIndexOptions) => T,
  ) {
    const native = checkIndexOptions(options);
    const { dimension, metric = 'ip', dtype = 'f32', codes = 'int8' } = options;
    super({ kind, dimension, metric, dtype, codes }, make(native));
    this.dimension = dimension;
    this.metric = metric;
    this.dtype = dtype;
    this.#vectorBytes = dimension * ((dtype === 'f32' ? 4 : 2) + (native.codes ? 1 : 0));
  }

  /** Rows that were removed since the last compaction; 0 once disposed. */
  get removedRows(): number {
    return this.handle.removed;
  }

  /** Whether rows were given biases; false once disposed. */
  get biased(): boolean {
    return this.handle.ask((native) => native.biased, false);
  }

  /**
   * Makes room for vectors that are still to be added, in memory that the system has given out already: what takes most of
   * the time of adding many. It holds until they are added, or until `compact`; what is reserved already counts.
   *
   * @param vectors - how many; in a `MultiVectorIndex` vectors too, not documents
   * @throws GranuleError `INVALID_ARGUMENT`, `OUT_OF_MEMORY` where the machine has no such memory to give, `ABORTED`,
   * `INDEX_DISPOSED`
   */
  async reserve(vectors: number, options: ChangeOptions = {}): Promise<void> {
    checkKeys(options, ['signal']);
    checkReservation(vectors, this.#vectorBytes);
    return this.handle.change(checkSignal(options.signal), (native, cancel) =>
      native.reserve(vectors, cancel),
    );
  }
}
