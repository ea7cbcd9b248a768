/**
 * A BM25 index on disk: `bm25.json`, a file with the terms, and the folder of a `SparseIndex`.
 *
 * Terms are only ever appended, so the terms of a later state serve a former one as well. A save that goes on from what the folder
 * holds therefore writes terms, then manifest, then postings; whatever stops it leaves postings with terms enough. A save that
 * replaces another index writes into names of its own, and the manifest last.
 *
 * @module
 */
import { createHash, randomBytes } from 'node:crypto';
import { readdir, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { GranuleError } from '../errors.js';
import { writeDurably } from '../files/durable-file.js';
import { checkBoolean, checkSignal } from '../index/arguments.js';
import { isAbsent, LOCK_FILE, readWhole, unlessOfSystem } from '../index/index-folder.js';
import { checkFolder } from '../index/open-index.js';
import { acquireLock, makeFolder, type SaveOptions, type SaveReport } from '../index/save-index.js';
import { SparseIndex } from '../index/sparse-index.js';
import { waitUnlessAborted } from '../native/abortable.js';
import { loadAddon } from '../native/load-addon.js';
import { type Analyzer, analyzerFrom } from './analyzer.js';
import { type AnalyzerDescription, sameAnalyzer } from './analyzer-description.js';
import {
  BM25_FILE,
  type Bm25Manifest,
  POSTINGS_NAME,
  parseBm25Manifest,
  serialiseBm25Manifest,
  VOCABULARY_NAME,
} from './bm25-manifest.js';
import type { Bm25Parameters } from './bm25-weights.js';
import { EventLoopTurns } from './event-loop-turns.js';
import { Vocabulary } from './vocabulary.js';

/** What a folder holds. */
export interface StoredBm25 {
  /** Absolute path. */
  readonly folder: string;
  readonly manifest: Bm25Manifest;
  /** Differs between any two manifests. */
  readonly checksum: string;
}

/** What a save needs of an index. */
export interface Bm25SaveCall {
  readonly index: SparseIndex;
  readonly vocabulary: Vocabulary;
  readonly parameters: Bm25Parameters;
  readonly analyzer: AnalyzerDescription;
  readonly stored: StoredBm25 | undefined;
  /** Is told what the folder holds as soon as it holds it. */
  readonly keep: (stored: StoredBm25) => void;
}

const MOST_MANIFEST_BYTES = 1 << 24;
/** Terms that are written, or read, in one go. */
const TERMS_PER_PIECE = 512;
/** A saver may delete files between two steps of an opening. */
const MOST_ATTEMPTS = 10;
const PARTIAL_NAME = /^(?:bm25\.json|vocabulary-[0-9a-f]{16}\.jsonl)\.tmp$/;

/** @throws GranuleError as `Bm25Index.save` */
export async function saveBm25(
  call: Bm25SaveCall,
  folder: string,
  options: SaveOptions,
): Promise<SaveReport> {
  const overwrite = checkBoolean(options.overwrite ?? false, 'overwrite');
  const signal = checkSignal(options.signal);
  const path = resolve(checkFolder(folder));
  try {
    await makeFolder(path);
    const lock = new (loadAddon().FileLock)();
    refuseForeign(path, await readdir(path));
    await acquireLock(lock, path);
    try {
      const report = await saveLocked(call, path, overwrite, signal);
      await deleteUnnamed(path);
      return report;
    } finally {
      lock.release();
    }
  } catch (error) {
    throw unlessOfSystem(error, 'FILE_NOT_WRITABLE', 'save to', path);
  }
}

async function saveLocked(
  call: Bm25SaveCall,
  folder: string,
  overwrite: boolean,
  signal: AbortSignal | undefined,
): Promise<SaveReport> {
  const { index, vocabulary, parameters, analyzer, stored, keep } = call;
  await waitUnlessAborted(signal, Promise.resolve());
  const base = await stateToContinue(folder, stored, overwrite);
  const terms =
    base?.vocabulary.terms === vocabulary.size ? base.vocabulary : await writeVocabulary(folder, vocabulary);
  const postings = base?.index ?? `index-${unique()}`;
  const manifest = { analyzer, parameters, vocabulary: terms, index: postings };
  const saveIndex = () => index.save(join(folder, postings), { overwrite, signal });
  const goesOn = base !== undefined;
  const before = goesOn ? undefined : await saveIndex();
  if (terms !== base?.vocabulary) {
    const { text, checksum } = serialiseBm25Manifest(manifest);
    await waitUnlessAborted(signal, Promise.resolve());
    await writeDurably(join(folder, BM25_FILE), [Buffer.from(text)]);
    keep({ folder, manifest, checksum });
  }
  const report = before ?? (await saveIndex());
  return { ...report, bytes: report.bytes + terms.bytes };
}

/** The manifest in the folder, where it is the one that the index was opened from or last saved as. */
async function stateToContinue(
  folder: string,
  stored: StoredBm25 | undefined,
  overwrite: boolean,
): Promise<Bm25Manifest | undefined> {
  const there = await readManifest(folder).catch((error: unknown) => {
    // A damaged manifest may be replaced, one of a newer version also; errors of the system are errors.
    if (overwrite && error instanceof GranuleError) return undefined;
    throw error;
  });
  if (there === undefined) return undefined;
  if (stored?.folder === folder && stored.checksum === there.checksum) return there.manifest;
  if (overwrite) return undefined;
  throw new GranuleError(
    'INDEX_EXISTS',
    `${folder} holds another index, or this one as somebody else has changed it since`,
    { folder },
  );
}

async function writeVocabulary(folder: string, vocabulary: Vocabulary): Promise<Bm25Manifest['vocabulary']> {
  const file = `vocabulary-${unique()}.jsonl`;
  const hash = createHash('sha256');
  let bytes = 0;
  await writeDurably(join(folder, file), linesOf(vocabulary), (chunk) => {
    hash.update(chunk);
    bytes += chunk.length;
  });
  return { file, terms: vocabulary.size, bytes, sha256: hash.digest('hex') };
}

function* linesOf(vocabulary: Vocabulary): Generator<Uint8Array> {
  let lines = '';
  let count = 0;
  for (const term of vocabulary) {
    lines += `${JSON.stringify(term)}\n`;
    if (++count % TERMS_PER_PIECE !== 0) continue;
    yield Buffer.from(lines);
    lines = '';
  }
  yield Buffer.from(lines);
}

/**
 * What a folder holds.
 *
 * @param given - the caller's analyzer, compared with the one that the index was made with
 * @throws GranuleError as `Bm25Index.open`
 */
export async function openBm25(
  folder: string,
  given: Analyzer | undefined,
  options: { readonly threads?: number | undefined; readonly signal?: AbortSignal | undefined },
): Promise<{ stored: StoredBm25; analyzer: Analyzer; vocabulary: Vocabulary; index: SparseIndex }> {
  const path = resolve(checkFolder(folder));
  for (let attempt = 1; ; attempt++) {
    const found = await manifestOf(path);
    const analyzer = analyzerOf(found.manifest.analyzer, given, path);
    const last = attempt === MOST_ATTEMPTS;
    const isPresent = async () => last || (await manifestOf(path)).checksum === found.checksum;
    let index: SparseIndex | undefined;
    try {
      const vocabulary = await readVocabulary(path, found.manifest.vocabulary, options.signal);
      index = await SparseIndex.open(join(path, found.manifest.index), options);
      if (!index.saturating) throw damaged(found.manifest.index, 'holds no postings of BM25');
      // Postings newer than the terms would hold terms that no query could name.
      if (await isPresent()) return { stored: { folder: path, ...found }, analyzer, vocabulary, index };
      index.dispose();
    } catch (error) {
      index?.dispose();
      const gone = error instanceof GranuleError && ['INDEX_CORRUPT', 'FILE_NOT_FOUND'].includes(error.code);
      if (!gone || (await isPresent())) throw lostAsCorrupt(error, found.manifest.index);
    }
  }
}

function analyzerOf(made: AnalyzerDescription, given: Analyzer | undefined, folder: string): Analyzer {
  if (given === undefined) return analyzerFrom(made);
  if (sameAnalyzer(made, given.description)) return given;
  throw new GranuleError(
    'ANALYZER_MISMATCH',
    `the index in ${folder} was made with the analyzer ${JSON.stringify(made)}, not ${JSON.stringify(given.description)}`,
    { folder, built: JSON.stringify(made), given: JSON.stringify(given.description) },
  );
}

async function readVocabulary(
  folder: string,
  { file, terms, bytes, sha256 }: Bm25Manifest['vocabulary'],
  signal: AbortSignal | undefined,
): Promise<Vocabulary> {
  const read = await readWhole(join(folder, file), bytes + 1).catch((error: unknown) => {
    throw isAbsent(error)
      ? damaged(file, 'is missing', error)
      : unlessOfSystem(error, 'FILE_NOT_FOUND', 'read', folder);
  });
  if (read.data.length !== bytes) throw damaged(file, `is not ${bytes} bytes long`);
  if (read.sha256 !== sha256) throw damaged(file, 'does not match its checksum');
  const vocabulary = new Vocabulary();
  const text = Buffer.from(read.data.buffer, read.data.byteOffset, read.data.byteLength);
  const turns = new EventLoopTurns(signal);
  for (let start = 0; start < text.length; ) {
    const newline = text.indexOf(10, start);
    const end = newline === -1 ? text.length : newline;
    vocabulary.add(termOf(text.toString('utf8', start, end), file));
    start = end + 1;
    if (vocabulary.size % TERMS_PER_PIECE === 0 && turns.due) await turns.next();
  }
  if (vocabulary.size !== terms) throw damaged(file, `does not hold ${terms} different terms`);
  return vocabulary;
}

function termOf(line: string, file: string): string {
  try {
    const term: unknown = JSON.parse(line);
    if (typeof term === 'string') return term;
  } catch (cause) {
    throw damaged(file, 'has a line that is not JSON', cause);
  }
  throw damaged(file, 'has a line that is no string');
}

async function manifestOf(folder: string): Promise<{ manifest: Bm25Manifest; checksum: string }> {
  const found = await readManifest(folder).catch((error: unknown) => {
    throw unlessOfSystem(error, 'FILE_NOT_FOUND', 'read', folder);
  });
  if (found !== undefined) return found;
  throw new GranuleError('FILE_NOT_FOUND', `there is no BM25 index in ${folder}: it has no ${BM25_FILE}`, {
    file: folder,
  });
}

async function readManifest(
  folder: string,
): Promise<{ manifest: Bm25Manifest; checksum: string } | undefined> {
  const read = await readWhole(join(folder, BM25_FILE), MOST_MANIFEST_BYTES).catch((error: unknown) => {
    if (isAbsent(error)) return undefined;
    throw error;
  });
  return read && parseBm25Manifest(read.data);
}

/** Deletes what the manifest does not name; what cannot be deleted is left to the next save. */
async function deleteUnnamed(folder: string): Promise<void> {
  const manifest = (await readManifest(folder))?.manifest;
  const named = [manifest?.index, manifest?.vocabulary.file];
  const gone = (await readdir(folder)).filter((name) => isReplaceable(name) && !named.includes(name));
  await Promise.allSettled(gone.map((name) => rm(join(folder, name), { recursive: true, force: true })));
}

function refuseForeign(folder: string, names: readonly string[]): void {
  const foreign = names.find((name) => name !== BM25_FILE && name !== LOCK_FILE && !isReplaceable(name));
  if (foreign === undefined || names.includes(BM25_FILE)) return;
  throw new GranuleError(
    'FILE_NOT_WRITABLE',
    `${folder} holds '${foreign}' and no BM25 index; save to a folder that is empty or does not exist`,
    { file: folder },
  );
}

function isReplaceable(name: string): boolean {
  return [VOCABULARY_NAME, POSTINGS_NAME, PARTIAL_NAME].some((pattern) => pattern.test(name));
}

/** The manifest names the postings: where there are none, the index is damaged. */
function lostAsCorrupt(error: unknown, postings: string): unknown {
  if (!(error instanceof GranuleError) || error.code !== 'FILE_NOT_FOUND') return error;
  return damaged(postings, 'holds no index', error);
}

function unique(): string {
  return randomBytes(8).toString('hex');
}

function damaged(file: string, what: string, cause?: unknown): GranuleError {
  return new GranuleError('INDEX_CORRUPT', `${file} ${what}`, { file }, { cause });
}
