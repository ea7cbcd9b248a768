import { stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { readJsonl, type SourceLine } from '../corpus/jsonl-reader.js';
import { GranuleError } from '../errors.js';
import { countryFacts } from './countries/country-facts.js';

/** A picture that somebody made, and the country whose flag it shows. */
export interface KnownPicture {
  /** Path of the image. */
  readonly file: string;
  /** Two-letter code in upper case. */
  readonly cca2: string;
}

const MOST_NAMED = 5;

/**
 * Reads `truth.jsonl` in a folder of pictures: lines `{ "file", "cca2" }`, the file relative to the folder. Other fields
 * are passed over.
 *
 * A line that is wrong fails the whole file, since figures over part of the pictures would mislead.
 *
 * @throws GranuleError `FILE_NOT_FOUND` where there is no truth.jsonl; `CORPUS_LINE_INVALID` naming the first wrong
 * lines and their number; `CORPUS_EMPTY` where no line is left
 */
export async function readTruthFile(folder: string): Promise<KnownPicture[]> {
  const path = join(folder, 'truth.jsonl');
  const countries = new Set(countryFacts().map(({ cca2 }) => cca2));
  const pictures: KnownPicture[] = [];
  const wrong: string[] = [];
  for await (const line of readJsonl(path)) {
    const picture = await knownPicture(line, folder, countries);
    if (typeof picture === 'string') wrong.push(`line ${line.line}: ${picture}`);
    else pictures.push(picture);
  }
  if (wrong.length > 0) {
    const more = wrong.length > MOST_NAMED ? `; and ${wrong.length - MOST_NAMED} more` : '';
    const lines = wrong.length === 1 ? 'a line is' : `${wrong.length} lines are`;
    throw new GranuleError(
      'CORPUS_LINE_INVALID',
      `${path}: ${lines} wrong: ${wrong.slice(0, MOST_NAMED).join('; ')}${more}`,
      { file: path, lines: wrong },
    );
  }
  if (pictures.length === 0)
    throw new GranuleError('CORPUS_EMPTY', `${path} names no picture`, { file: path });
  return pictures;
}

/** The picture of a line, or what is wrong with it. */
async function knownPicture(
  line: SourceLine,
  folder: string,
  countries: ReadonlySet<string>,
): Promise<KnownPicture | string> {
  if ('error' in line) return line.error.message;
  const { file, cca2 } = (line.value ?? {}) as { file?: unknown; cca2?: unknown };
  if (typeof file !== 'string' || file === '') return "'file' must be a path";
  if (typeof cca2 !== 'string' || !countries.has(cca2.toUpperCase())) {
    return `'cca2' must be the two-letter code of a country, got ${JSON.stringify(cca2)}`;
  }
  const path = resolve(folder, file);
  const isFile = await stat(path).then(
    (status) => status.isFile(),
    () => false,
  );
  return isFile ? { file: path, cca2: cca2.toUpperCase() } : `there is no file ${path}`;
}
