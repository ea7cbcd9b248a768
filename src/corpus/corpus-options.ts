import type { Device } from '../native/device.js';

/** How to open a corpus. */
export interface CorpusOpenOptions {
  /** Never writes, and repairs nothing; changes are refused. Off by default. */
  readonly readOnly?: boolean | undefined;
  /** Where searches run; see `IndexOptions`. */
  readonly device?: Device | undefined;
  /** Bytes of vectors that may wait in the database before they are moved to the index folders; default 32 MiB. */
  readonly journalBytes?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}
