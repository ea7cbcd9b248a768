import { readdir, readFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { GranuleError } from '../errors.js';
import type { SourceLine } from './jsonl-reader.js';
import type { CorpusLine } from './records.js';
import { unreadableFile } from './unreadable-file.js';

const IMAGE_EXTENSIONS = new Set(['.png', '.jpg', '.jpeg', '.webp', '.svg', '.gif', '.avif', '.tiff']);
const TEXT_EXTENSIONS = new Set(['.txt', '.md']);

/**
 * Reads a folder of images and texts: each image `<name>.<png|jpg|jpeg|webp|svg|gif|avif|tiff>` becomes an entity with
 * the id `<name>`, and `<name>.txt` or `<name>.md` becomes its document with the same id, unless it is blank; a text without an
 * image is an entity too. The title is the name with `_` and `-` as spaces.
 *
 * Entries are taken in the order of their names by UTF-16 unit and counted from 1 as lines; the text of an image is part of
 * the image's line. Files of other kinds, folders, and second texts of one name are given as errors; names that begin
 * with a dot are passed over.
 *
 * @throws GranuleError `FILE_NOT_FOUND` where the folder cannot be read
 */
export async function* readFolder(folder: string): AsyncGenerator<SourceLine> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(unreadableFile(folder));
  const visible = entries.filter((entry) => !entry.name.startsWith('.'));
  const files = visible.filter((entry) => !entry.isDirectory()).map((entry) => entry.name);
  const texts = new Map<string, string>();
  for (const name of files.filter((file) => TEXT_EXTENSIONS.has(extension(file))).sort()) {
    // '.txt' sorts after '.md' and is preferred.
    texts.set(stem(name), name);
  }
  const pictured = new Set(files.filter((file) => IMAGE_EXTENSIONS.has(extension(file))).map(stem));

  const lines = visible
    .map((entry) => entry.name)
    .sort()
    .filter((name) => !(pictured.has(stem(name)) && texts.get(stem(name)) === name));
  for (const [i, name] of lines.entries()) {
    const line = i + 1;
    const place = { line, fraction: line / lines.length };
    try {
      yield { ...place, value: await readEntity(folder, name, texts, files.includes(name)) };
    } catch (error) {
      if (!(error instanceof GranuleError)) throw error;
      yield { ...place, error };
    }
  }
}

async function readEntity(
  folder: string,
  name: string,
  texts: ReadonlyMap<string, string>,
  isFile: boolean,
): Promise<CorpusLine> {
  const id = stem(name);
  const isImage = isFile && IMAGE_EXTENSIONS.has(extension(name));
  if (!isImage && !(isFile && TEXT_EXTENSIONS.has(extension(name)))) {
    throw new GranuleError('CORPUS_LINE_INVALID', `${name} is neither an image nor a text`, { file: name });
  }
  const textName = texts.get(id);
  if (!isImage && textName !== name) {
    throw new GranuleError('DUPLICATE_ID', `${name} is a second text for '${id}', beside ${textName}`, {
      id,
    });
  }
  const title = id.replace(/[_-]+/g, ' ').trim() || id;
  const text = textName === undefined ? '' : await readText(join(folder, textName));
  return {
    entity: { id, title, ...(isImage && { image: name }) },
    documents: text.trim() === '' ? [] : [{ id, text }],
  };
}

async function readText(path: string): Promise<string> {
  const bytes = await readFile(path).catch(unreadableFile(path));
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new GranuleError('CORPUS_LINE_INVALID', `${path} is not valid UTF-8`, { file: path });
  }
}

function extension(name: string): string {
  return extname(name).toLowerCase();
}

function stem(name: string): string {
  return name.slice(0, name.length - extname(name).length);
}
