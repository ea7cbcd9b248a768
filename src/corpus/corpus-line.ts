import { GranuleError } from '../errors.js';
import { plainMetadata } from './plain-metadata.js';
import type { LineDocument, LineImage, LinePassage, Metadata } from './records.js';

/** Most UTF-16 units of an id, a title, an image's path, a passage's text and a document's. */
const LIMITS = { id: 1_000, title: 10_000, image: 10_000, text: 1_000_000, document: 1 << 26 } as const;

/** A line in its one form: every list is there, every image has an id, metadata stands in one place. */
export interface ParsedCorpusLine {
  readonly entity: { readonly id: string; readonly title: string };
  readonly metadata?: Metadata;
  readonly passages: readonly LinePassage[];
  readonly documents: readonly LineDocument[];
  /** All of the entity's images, the first of which is the one that stands for it. */
  readonly images: readonly Required<LineImage>[];
}

/**
 * Checks that `value` has the shape of a `CorpusLine` and returns it in its one form.
 *
 * Ids, titles and texts are non-empty strings of well-formed Unicode without NUL. Fields that are not known are refused,
 * since a misspelt `image` would otherwise be lost without a word; what a user wants to keep goes into `metadata`.
 *
 * @throws GranuleError `CORPUS_LINE_INVALID`; `DUPLICATE_ID` where two passages, two documents or two images of the
 * line share an id
 */
export function parseCorpusLine(value: unknown): ParsedCorpusLine {
  const line = object(value, 'the line', ['entity', 'metadata', 'passages', 'documents', 'images']);
  const entity = object(line['entity'], "'entity'", ['id', 'title', 'image', 'metadata']);
  const id = text(entity['id'], "'entity.id'", LIMITS.id);
  const title = text(entity['title'], "'entity.title'", LIMITS.title);
  if (line['metadata'] !== undefined && entity['metadata'] !== undefined) {
    throw invalid("'metadata' is given twice, beside the entity and in it");
  }
  const metadata = line['metadata'] ?? entity['metadata'];
  return {
    entity: { id, title },
    ...(metadata !== undefined && { metadata: plainMetadata(metadata, 'metadata') }),
    passages: unique('passage', list(line['passages'], 'passages').map(linePassage)),
    documents: unique('document', list(line['documents'], 'documents').map(lineDocument)),
    images: unique('image', lineImages(id, entity['image'], list(line['images'], 'images'))),
  };
}

/** The id that a line claims, for reports about lines that are refused. */
export function claimedId(value: unknown): string | undefined {
  const id = (value as { entity?: { id?: unknown } } | null | undefined)?.entity?.id;
  return typeof id === 'string' ? id : undefined;
}

function linePassage(value: unknown, i: number): LinePassage {
  const passage = object(value, `'passages[${i}]'`, ['id', 'text']);
  return {
    id: text(passage['id'], `'passages[${i}].id'`, LIMITS.id),
    text: text(passage['text'], `'passages[${i}].text'`, LIMITS.text),
  };
}

function lineDocument(value: unknown, i: number): LineDocument {
  const at = `documents[${i}]`;
  const document = object(value, `'${at}'`, ['id', 'title', 'text', 'metadata']);
  const { title, metadata } = document;
  return {
    id: text(document['id'], `'${at}.id'`, LIMITS.id),
    ...(title !== undefined && { title: text(title, `'${at}.title'`, LIMITS.title) }),
    text: text(document['text'], `'${at}.text'`, LIMITS.document),
    ...(metadata !== undefined && { metadata: plainMetadata(metadata, `${at}.metadata`) }),
  };
}

function lineImages(entityId: string, first: unknown, further: readonly unknown[]): Required<LineImage>[] {
  const images = further.map((value, i): LineImage => {
    const image = object(value, `'images[${i}]'`, ['id', 'file']);
    const file = text(image['file'], `'images[${i}].file'`, LIMITS.image);
    return image['id'] === undefined
      ? { file }
      : { id: text(image['id'], `'images[${i}].id'`, LIMITS.id), file };
  });
  if (first !== undefined) images.unshift({ file: text(first, "'entity.image'", LIMITS.image) });
  return images.map(({ id, file }, i) => ({
    id: id ?? (i === 0 ? entityId : `${entityId}#${i + 1}`),
    file,
  }));
}

function list(value: unknown, what: string): readonly unknown[] {
  if (value === undefined) return [];
  if (!Array.isArray(value)) throw invalid(`'${what}' must be an array`);
  return Array.from(value);
}

function unique<T extends { readonly id: string }>(what: string, items: readonly T[]): readonly T[] {
  const seen = new Set<string>();
  for (const { id } of items) {
    if (seen.has(id))
      throw new GranuleError('DUPLICATE_ID', `${what} id '${id}' occurs twice in the line`, { id });
    seen.add(id);
  }
  return items;
}

function object(value: unknown, what: string, known: readonly string[]): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw invalid(`${what} must be an object`);
  for (const key of Object.keys(value)) {
    if (!known.includes(key))
      throw invalid(`${what} has the unknown field '${key}'; known: ${known.join(', ')}`);
  }
  // Only own fields count: an object's prototype is not part of the line.
  return Object.assign(Object.create(null), value);
}

function text(value: unknown, what: string, limit: number): string {
  if (typeof value !== 'string') throw invalid(`${what} must be a string`);
  if (value.trim() === '') throw invalid(`${what} is empty`);
  if (value.length > limit) throw invalid(`${what} has ${value.length} characters, more than ${limit}`);
  if (value.includes('\0')) throw invalid(`${what} holds a NUL character`);
  if (/\p{Surrogate}/u.test(value)) throw invalid(`${what} is not well-formed Unicode`);
  return value;
}

function invalid(message: string): GranuleError {
  return new GranuleError('CORPUS_LINE_INVALID', message);
}
