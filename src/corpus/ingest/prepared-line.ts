import { resolve } from 'node:path';
import { GranuleError } from '../../errors.js';
import { canonicalHash, lineHash } from '../canonical-hash.js';
import { claimedId, type ParsedCorpusLine, parseCorpusLine } from '../corpus-line.js';
import { linePassages } from '../document-passages.js';
import { type ImageFile, readImageFile } from '../image-file.js';
import type { SourceLine } from '../jsonl-reader.js';

/** An image of an entity, read and known to decode. */
export interface PreparedImage extends ImageFile {
  readonly id: string;
}

/** A document as it is stored; metadata as JSON. */
export interface PreparedDocument {
  readonly id: string;
  readonly title: string | undefined;
  readonly text: string;
  readonly metadata: string | undefined;
  readonly hash: string;
}

/** A passage as it is stored. */
export interface PreparedPassage {
  readonly id: string;
  readonly text: string;
  /** Which of the line's documents it was cut from, and where. */
  readonly from?: { readonly document: number; readonly start: number; readonly end: number };
}

/** A line that may be taken. */
export interface PreparedLine {
  readonly line: number;
  readonly id: string;
  readonly title: string;
  /** As JSON. */
  readonly metadata: string | undefined;
  readonly documents: readonly PreparedDocument[];
  readonly passages: readonly PreparedPassage[];
  readonly images: readonly PreparedImage[];
  /** Of all that the line says, and of its images' bytes. */
  readonly hash: string;
}

/** A line that may not. */
export interface RefusedLine {
  readonly line: number;
  readonly id?: string | undefined;
  readonly error: GranuleError;
}

/**
 * Checks a line of a source and reads its images.
 *
 * @param imageFolder - what relative image paths are relative to
 */
export async function prepareLine(
  source: SourceLine,
  imageFolder: string,
): Promise<PreparedLine | RefusedLine> {
  const { line } = source;
  if ('error' in source) return { line, error: source.error };
  try {
    const parsed = parseCorpusLine(source.value);
    const parts = storedParts(parsed);
    const images: PreparedImage[] = [];
    for (const { id, file } of parsed.images) {
      images.push({ id, ...(await readImageFile(resolve(imageFolder, file))) });
    }
    const imageHashes = images.map(({ sha256 }) => sha256);
    return { line, ...parts, images, hash: lineHash(parsed, imageHashes) };
  } catch (error) {
    if (error instanceof GranuleError) return { line, id: claimedId(source.value), error };
    throw error;
  }
}

/** What a line says of texts, as it is stored. */
export function storedParts(parsed: ParsedCorpusLine) {
  const { entity, metadata, documents } = parsed;
  const numbers = new Map(documents.map(({ id }, number) => [id, number]));
  return {
    id: entity.id,
    title: entity.title,
    metadata: json(metadata),
    documents: documents.map((document) => ({
      id: document.id,
      title: document.title,
      text: document.text,
      metadata: json(document.metadata),
      hash: canonicalHash(document),
    })),
    passages: linePassages(parsed).map((passage): PreparedPassage => {
      const { id, text } = passage;
      if (!('documentId' in passage)) return { id, text };
      const { start, end } = passage;
      return { id, text, from: { document: numbers.get(passage.documentId)!, start, end } };
    }),
  };
}

function json(value: object | undefined): string | undefined {
  return value === undefined ? undefined : JSON.stringify(value);
}
