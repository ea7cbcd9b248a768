import type { FieldPath } from './metadata-filter.js';

/** A part of a field's name: a JSON string in double quotes, or anything without dots and quotes. */
const PART = /"(?:[^"\\]|\\.)*"|[^".]+/suy;

/**
 * Reads a field's name: parts joined by dots. A part in double quotes is a JSON string, so that a key may hold dots and
 * quotes or be empty.
 *
 * @returns undefined where the name is not of this form
 */
export function parseFieldPath(field: string): FieldPath | undefined {
  const parts: string[] = [];
  let position = 0;
  do {
    PART.lastIndex = position;
    const part = PART.exec(field)?.[0];
    if (part === undefined) return undefined;
    const key = part.startsWith('"') ? unquoted(part) : part;
    if (key === undefined) return undefined;
    parts.push(key);
    position += part.length + 1;
  } while (field[position - 1] === '.');
  return position === field.length + 1 ? (parts as [string, ...string[]]) : undefined;
}

function unquoted(part: string): string | undefined {
  try {
    return JSON.parse(part) as string;
  } catch {
    return undefined;
  }
}
