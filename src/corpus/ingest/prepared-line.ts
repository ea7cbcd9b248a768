import { createHash } from 'node:crypto';
import { resolve } from 'node:path';
import { GranuleError } from '../../errors.js';
import { claimedId, lineHash, parseCorpusLine } from '../corpus-line.js';
import { type ImageFile, readImageFile } from '../image-file.js';
import type { SourceLine } from '../jsonl-reader.js';
import { documentPassages } from '../passage-splitter.js';
import type { CorpusLine } from '../records.js';

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
    const images: PreparedImage[] = [];
    for (const { id, file } of imagesOf(parsed)) {
      images.push({ id, ...(await readImageFile(resolve(imageFolder, file))) });
    }
    return { line, ...storedParts(parsed), images, hash: hashOf(parsed, images) };
  } catch (error) {
    if (error instanceof GranuleError) return { line, id: claimedId(source.value), error };
    throw error;
  }
}

/** Ids and files of a line's images: the first has the entity's id, further ones `<entity id>#2` and so on, or their own. */
function imagesOf({ entity, images = [] }: CorpusLine): { id: string; file: string }[] {
  const files = [...(entity.image === undefined ? [] : [{ file: entity.image }]), ...images];
  return files.map((image, i) => ({
    id: ('id' in image ? image.id : undefined) ?? (i === 0 ? entity.id : `${entity.id}#${i + 1}`),
    file: image.file,
  }));
}

function storedParts({ entity, metadata, passages = [], documents = [] }: CorpusLine) {
  const cut = documents.flatMap((document, number) =>
    documentPassages(document, entity.title).map(({ id, text, start, end }) => ({
      id,
      text,
      from: { document: number, start, end },
    })),
  );
  return {
    id: entity.id,
    title: entity.title,
    metadata: json(metadata),
    documents: documents.map((document) => ({
      id: document.id,
      title: document.title,
      text: document.text,
      metadata: json(document.metadata),
      hash: createHash('sha256').update(JSON.stringify(document)).digest('hex'),
    })),
    passages: [...passages.map(({ id, text }) => ({ id, text })), ...cut],
  };
}

function hashOf(line: CorpusLine, images: readonly PreparedImage[]): string {
  const hash = createHash('sha256').update(lineHash(line));
  for (const { id, sha256 } of images) hash.update(`\n${id}\n${sha256}`);
  return hash.digest('hex');
}

function json(value: object | undefined): string | undefined {
  return value === undefined ? undefined : JSON.stringify(value);
}
