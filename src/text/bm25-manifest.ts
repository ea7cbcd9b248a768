/**
 * `bm25.json`, which says what makes up a BM25 index on disk. Everything that was read from a disk is checked here before
 * anything else relies on it.
 *
 * @module
 */
import { createHash } from 'node:crypto';
import { GranuleError } from '../errors.js';
import { type AnalyzerDescription, isAnalyzerDescription } from './analyzer-description.js';
import { type Bm25Parameters, checkBm25Parameters } from './bm25-weights.js';

/** The manifest's name in the folder. */
export const BM25_FILE = 'bm25.json';
/** Names of files with the terms, one JSON string on each line, in the order of their numbers. */
export const VOCABULARY_NAME = /^vocabulary-[0-9a-f]{16}\.jsonl$/;
/** Names of folders with the postings. */
export const POSTINGS_NAME = /^index-[0-9a-f]{16}$/;

/** What a manifest says. */
export interface Bm25Manifest {
  readonly analyzer: AnalyzerDescription;
  readonly parameters: Bm25Parameters;
  readonly vocabulary: {
    readonly file: string;
    readonly terms: number;
    readonly bytes: number;
    readonly sha256: string;
  };
  /** Folder of the `SparseIndex`. */
  readonly index: string;
}

const FORMAT = 'granule-bm25';
const VERSION = 1;
const SHA256 = /^[0-9a-f]{64}$/;

/** The text of a manifest, and its checksum. */
export function serialiseBm25Manifest(manifest: Bm25Manifest): { text: string; checksum: string } {
  const { analyzer, parameters, vocabulary, index } = manifest;
  const fields = { format: FORMAT, version: VERSION, analyzer, parameters, vocabulary, index };
  const checksum = sha256(JSON.stringify(fields));
  return { text: `${JSON.stringify({ ...fields, checksum }, null, 2)}\n`, checksum };
}

/** @throws GranuleError `INDEX_CORRUPT`, `INDEX_VERSION_UNSUPPORTED` */
export function parseBm25Manifest(bytes: Uint8Array): { manifest: Bm25Manifest; checksum: string } {
  const parsed = parseJson(bytes);
  if (!isRecord(parsed) || parsed['format'] !== FORMAT) throw damaged('is not the manifest of a BM25 index');
  const { version } = parsed;
  if (Number.isSafeInteger(version) && (version as number) > VERSION) {
    throw new GranuleError(
      'INDEX_VERSION_UNSUPPORTED',
      `${BM25_FILE} has format version ${version}; this version of Granule reads ${VERSION}`,
      { file: BM25_FILE, version: version as number },
    );
  }
  if (version !== VERSION) throw damaged('has no valid format version');
  const { checksum, ...fields } = parsed;
  if (checksum !== checksumOf(fields)) throw damaged('does not match its checksum');
  return { manifest: checkFields(fields), checksum: checksum as string };
}

function checkFields({ analyzer, parameters, vocabulary, index }: Record<string, unknown>): Bm25Manifest {
  if (!isAnalyzerDescription(analyzer)) throw damaged('has no valid analyzer');
  if (!isRecord(vocabulary)) throw damaged('has no valid vocabulary');
  const { file, terms, bytes, sha256: digest } = vocabulary;
  if (!isMatch(file, VOCABULARY_NAME) || !isCount(terms) || !isCount(bytes) || !isMatch(digest, SHA256)) {
    throw damaged('has no valid vocabulary');
  }
  if (!isMatch(index, POSTINGS_NAME)) throw damaged('names no folder of postings');
  return {
    analyzer,
    parameters: parametersOf(parameters),
    vocabulary: { file, terms, bytes, sha256: digest },
    index,
  };
}

/** What nests a hundred thousand times can be read, and not be written. */
function checksumOf(fields: object): string | undefined {
  try {
    return sha256(JSON.stringify(fields));
  } catch {
    return undefined;
  }
}

function parametersOf(value: unknown): Bm25Parameters {
  try {
    return checkBm25Parameters(value as Bm25Parameters);
  } catch (cause) {
    throw damaged('has no valid parameters', cause);
  }
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes));
  } catch (cause) {
    throw damaged('is not JSON', cause);
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isMatch(value: unknown, pattern: RegExp): value is string {
  return typeof value === 'string' && pattern.test(value);
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function damaged(what: string, cause?: unknown): GranuleError {
  return new GranuleError('INDEX_CORRUPT', `${BM25_FILE} ${what}`, { file: BM25_FILE }, { cause });
}
