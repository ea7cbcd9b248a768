import type { Entity, Metadata, Passage } from '../records.js';

/** An entity as a corpus has it; `image` is the absolute path of its first image. */
export type EntityRecord = Entity;

/** A passage as a corpus has it. */
export interface PassageRecord extends Passage {
  /** The document that it was cut from. */
  readonly documentId?: string;
  /** Where it stands in the document's text, in UTF-16 units, without its heading. */
  readonly start?: number;
  readonly end?: number;
}

/** A document as a corpus has it. */
export interface DocumentRecord {
  readonly id: string;
  readonly entityId: string;
  readonly title?: string;
  readonly text: string;
  readonly metadata?: Metadata;
}

/** A document as a corpus has it, without its text. */
export type DocumentHead = Omit<DocumentRecord, 'text'>;

/** An image as a corpus has it. */
export interface ImageRecord {
  readonly id: string;
  readonly entityId: string;
  /** Absolute path inside the corpus. */
  readonly file: string;
  /** Of the file, in hexadecimal. */
  readonly sha256: string;
  readonly width: number;
  readonly height: number;
  /** Of the file. */
  readonly bytes: number;
}
