import { createHash } from 'node:crypto';
import type { ParsedCorpusLine } from './corpus-line.js';

/** SHA-256 of a JSON value, in hexadecimal. The order of an object's keys does not matter, that of arrays does. */
export function canonicalHash(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value, sortedKeys)).digest('hex');
}

/**
 * Identifies what a line says: two lines with equal hashes make the same records. Images count by their bytes, not by
 * where their files lie.
 *
 * @param imageHashes - SHA-256 of each image of `line.images`, in hexadecimal
 */
export function lineHash(line: ParsedCorpusLine, imageHashes: readonly string[]): string {
  const images = line.images.map(({ id }, i) => ({ id, sha256: imageHashes[i] }));
  return canonicalHash({ ...line, images });
}

function sortedKeys(_key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}
