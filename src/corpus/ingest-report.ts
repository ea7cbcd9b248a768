import type { ErrorCode } from '../errors.js';

/** A line that was not taken. */
export interface Refusal {
  /** Counted from 1; blank lines count. For a folder: the entry's place in the list of names. 0 where it is not known. */
  readonly line: number;
  /** The entity's id, where the line names one. */
  readonly id?: string;
  readonly code: ErrorCode;
  readonly message: string;
}

/** What an ingest did. `taken + refused.length` is the number of non-empty lines. */
export interface IngestReport {
  /** Lines whose entity is now stored as they say: added, replaced and unchanged ones. */
  readonly taken: number;
  /** Lines with a new entity. */
  readonly added: number;
  /** Lines that took the place of what was stored of their entity. */
  readonly replaced: number;
  /** Lines whose entity was stored so already. */
  readonly unchanged: number;
  /** All others, by line. */
  readonly refused: readonly Refusal[];
  /** Entities in the corpus after the ingest. */
  readonly entities: number;
  readonly documents: number;
  readonly passages: number;
  readonly images: number;
}

/** How far an ingest has come. */
export interface IngestProgress {
  /** 'lines' reads, checks, encodes and stores; 'passages' and 'images' encode what waits for an encoder to be fitted. */
  readonly stage: 'lines' | 'images' | 'passages';
  /** Lines, images or passages done: they are on the disk. */
  readonly done: number;
  /** Share of the stage that is done, 0 to 1, where it is known. */
  readonly fraction?: number;
  /** Items of the stage per second, on average. */
  readonly perSecond: number;
  /** Seconds that the stage will still take, where its share is known. */
  readonly secondsLeft?: number;
}

/** Options of an ingest. */
export interface IngestOptions {
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: IngestProgress) => void;
  /** Called as soon as a line is refused; the report lists it too. */
  readonly onRefused?: (refusal: Refusal) => void;
}
