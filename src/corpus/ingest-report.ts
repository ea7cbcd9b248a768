import type { ErrorCode } from '../errors.js';

/** A line that was not taken. */
export interface Refusal {
  /** Counted from 1; blank lines count. For a folder: the entry's place in the list of names. */
  readonly line: number;
  /** The entity's id, where the line names one. */
  readonly id?: string;
  readonly code: ErrorCode;
  readonly message: string;
}

/** What an ingest did. `taken + refused.length` is the number of non-empty lines. */
export interface IngestReport {
  /** Lines that became entities. */
  readonly taken: number;
  /** All others, by line. */
  readonly refused: readonly Refusal[];
  readonly entities: number;
  readonly passages: number;
  /** Entities with an image. */
  readonly images: number;
}

/** How far an ingest has come. */
export interface IngestProgress {
  /** 'lines' reads and checks the source, 'images' and 'passages' encode. */
  readonly stage: 'lines' | 'images' | 'passages';
  /** Lines, images or passages done. */
  readonly done: number;
  /** Share of the stage that is done, 0 to 1, where it is known. */
  readonly fraction?: number;
}

/** Options of an ingest. */
export interface IngestOptions {
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: IngestProgress) => void;
  /** Called as soon as a line is refused; the report lists it too. */
  readonly onRefused?: (refusal: Refusal) => void;
}
