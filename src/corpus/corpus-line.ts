import { createHash } from 'node:crypto';
import { GranuleError } from '../errors.js';
import type { CorpusLine, Metadata } from './records.js';

/** Most UTF-16 units of an id, a title, and a passage's text; deepest nesting of metadata. */
const LIMITS = { id: 1_000, title: 10_000, image: 10_000, text: 1_000_000, depth: 32 } as const;

/**
 * Checks that `value` has the shape of a corpus line and returns it as one.
 *
 * Ids, titles and texts are non-empty strings of well-formed Unicode without NUL. Fields that are not known are refused,
 * since a misspelt `image` would otherwise be lost without a word; what a user wants to keep goes into `metadata`.
 *
 * @throws GranuleError `CORPUS_LINE_INVALID`; `DUPLICATE_ID` where two passages of the line share an id
 */
export function parseCorpusLine(value: unknown): CorpusLine {
  const line = object(value, 'the line', ['entity', 'passages', 'metadata', 'documents', 'images']);
  const entity = object(line['entity'], "'entity'", ['id', 'title', 'image', 'metadata']);
  const id = text(entity['id'], "'entity.id'", LIMITS.id);
  const title = text(entity['title'], "'entity.title'", LIMITS.title);
  const image =
    entity['image'] === undefined ? undefined : text(entity['image'], "'entity.image'", LIMITS.image);
  if (line['metadata'] !== undefined && entity['metadata'] !== undefined) {
    throw invalid("'metadata' is given twice, beside the entity and in it");
  }
  const metadata = plainMetadata(line['metadata'] ?? entity['metadata']);

  line['passages'] ??= [];
  if (!Array.isArray(line['passages'])) throw invalid("'passages' must be an array");
  const seen = new Set<string>();
  const passages = line['passages'].map((item: unknown, i) => {
    const passage = object(item, `'passages[${i}]'`, ['id', 'text']);
    const passageId = text(passage['id'], `'passages[${i}].id'`, LIMITS.id);
    if (seen.has(passageId)) {
      throw new GranuleError('DUPLICATE_ID', `passage id '${passageId}' occurs twice in the line`, {
        id: passageId,
      });
    }
    seen.add(passageId);
    return { id: passageId, text: text(passage['text'], `'passages[${i}].text'`, LIMITS.text) };
  });
  return {
    entity: { id, title, ...(image !== undefined && { image }) },
    passages,
    ...((line['documents'] as CorpusLine['documents']) && {
      documents: line['documents'] as NonNullable<CorpusLine['documents']>,
    }),
    ...((line['images'] as CorpusLine['images']) && {
      images: line['images'] as NonNullable<CorpusLine['images']>,
    }),
    ...(metadata && { metadata }),
  };
}

/** A checksum of a line. */
export function lineHash(line: CorpusLine): string {
  return createHash('sha256').update(JSON.stringify(line)).digest('hex');
}

/** The id that a line claims, for reports about lines that are refused. */
export function claimedId(value: unknown): string | undefined {
  const id = (value as { entity?: { id?: unknown } } | null | undefined)?.entity?.id;
  return typeof id === 'string' ? id : undefined;
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

function plainMetadata(value: unknown): Metadata | undefined {
  if (value === undefined) return undefined;
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw invalid("'metadata' must be an object");
  let level: object[] = [value];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth === LIMITS.depth) throw invalid(`'metadata' is nested more than ${LIMITS.depth} deep`);
    const next: object[] = [];
    for (const node of level) {
      // A copy of such metadata by plain assignment would change the copy's prototype.
      if (Object.hasOwn(node, '__proto__')) throw invalid("'metadata' has the field '__proto__'");
      for (const child of Object.values(node))
        if (typeof child === 'object' && child !== null) next.push(child);
    }
    level = next;
  }
  return value as Metadata;
}

function invalid(message: string): GranuleError {
  return new GranuleError('CORPUS_LINE_INVALID', message);
}
