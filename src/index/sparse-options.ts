import { GranuleError } from '../errors.js';
import type { NativeSparseIndexOptions } from '../native/addon-types.js';
import { checkBoolean, checkFloat32, checkKeys, checkThreads, show } from './arguments.js';
import type { ChangeOptions } from './stored-rows.js';

/** What a `SparseIndex` is made from. */
export interface SparseIndexOptions {
  /** Most threads that one call may use; 0, the default, means one per core. Results do not depend on it. */
  readonly threads?: number | undefined;
  /** Whether rows have lengths, and values above 0, so that searches may saturate the values. Off by default. */
  readonly saturating?: boolean | undefined;
}

/** Options of `SparseIndex.open`. */
export interface SparseOpenOptions {
  /** As for a new index. */
  readonly threads?: number | undefined;
  /** Stops the opening; the promise then rejects with `ABORTED`. */
  readonly signal?: AbortSignal | undefined;
}

/** Options of `SparseIndex.add`. */
export interface SparseAddOptions extends ChangeOptions {
  /** The length of each row, finite and at least 0, as the saturation sees it. Given where the index is saturating, and only there. */
  readonly lengths?: Float32Array | undefined;
}

/** How values of rows are saturated: w counts as w / (w + (base + slope * length of the row)). */
export interface Saturation {
  /** Finite, at least 0. For BM25 k1 (1 - b). */
  readonly base: number;
  /** Finite, at least 0. For BM25 k1 b / (mean length). */
  readonly slope: number;
}

/** Options of `SparseIndex.search`. */
export interface SparseSearchOptions {
  /** Places per query, 1 to the number of rows. */
  readonly k: number;
  /** Asks for probabilities: exp(s_i / t) / sum_j exp(s_j / t) over the hits. Finite, above 0. */
  readonly temperature?: number | undefined;
  /** Allowed rows, one bit each: row r is bit r & 7 of byte r >> 3; ceil(rows / 8) bytes. See `rowFilter`. */
  readonly filter?: Uint8Array | undefined;
  /** Saturates the values of a saturating index; without it they count as they are. */
  readonly saturation?: Saturation | undefined;
  /** Stops the search; the promise then rejects with `ABORTED`. */
  readonly signal?: AbortSignal | undefined;
}

/** @throws GranuleError `INVALID_ARGUMENT` */
export function checkSparseOptions(options: SparseIndexOptions): NativeSparseIndexOptions {
  checkKeys(options, ['threads', 'saturating']);
  return {
    threads: checkThreads(options.threads ?? 0),
    saturating: checkBoolean(options.saturating ?? false, 'saturating'),
  };
}

/**
 * One length per row where the index is saturating, and none where it is not.
 *
 * @throws GranuleError `INVALID_ARGUMENT`, `LENGTH_MISMATCH`
 */
export function checkRowLengths(
  lengths: Float32Array | undefined,
  rows: number,
  saturating: boolean,
): Float32Array | undefined {
  if (!saturating) {
    if (lengths === undefined) return undefined;
    throw new GranuleError('INVALID_ARGUMENT', "only the rows of an index with 'saturating' have lengths");
  }
  if (lengths === undefined) {
    throw new GranuleError('INVALID_ARGUMENT', "lengths must be given: the index is 'saturating'");
  }
  const data = checkFloat32(lengths, 'lengths');
  if (data.length !== rows) {
    throw new GranuleError('LENGTH_MISMATCH', `lengths holds ${data.length} values for ${rows} rows`, {
      length: data.length,
      rows,
    });
  }
  return data;
}

/** @throws GranuleError `INVALID_ARGUMENT` */
export function checkSaturation(
  saturation: Saturation | undefined,
  saturating: boolean,
): Saturation | undefined {
  if (saturation === undefined) return undefined;
  checkKeys(saturation, ['base', 'slope']);
  if (!saturating) {
    throw new GranuleError('INVALID_ARGUMENT', "saturation needs an index with 'saturating'");
  }
  const { base, slope } = saturation;
  for (const [name, value] of Object.entries({ base, slope })) {
    if (typeof value !== 'number' || !Number.isFinite(value) || value < 0) {
      throw new GranuleError(
        'INVALID_ARGUMENT',
        `saturation.${name} must be a finite number of at least 0, got ${show(value)}`,
      );
    }
  }
  return { base, slope };
}
