/**
 * The manifest of an index on disk (docs/index-files.md): which files make up its present state. Everything that was read
 * from a disk is checked here before anything else relies on it.
 *
 * @module
 */
import { createHash } from 'node:crypto';
import { GranuleError } from '../errors.js';
import { DTYPE_CODES, type Dtype, METRIC_CODES, type Metric } from '../native/addon-types.js';
import { MAX_DIMENSION } from './arguments.js';

/** What kind of rows an index of vectors has: vectors, or documents of several. */
export type VectorIndexKind = 'flat' | 'multi-vector';

/** What kind of rows an index has. */
export type IndexKind = VectorIndexKind | 'sparse';

/** What all files of an index of vectors have in common. */
export interface VectorIndexFacts {
  readonly kind: VectorIndexKind;
  readonly dimension: number;
  readonly metric: Metric;
  readonly dtype: Dtype;
  readonly codes: 'int8' | 'none';
}

/** What all files of a sparse index have in common. */
export interface SparseIndexFacts {
  readonly kind: 'sparse';
  /** Whether rows have lengths. */
  readonly saturating: boolean;
}

/** What all files of an index have in common. */
export type IndexFacts = VectorIndexFacts | SparseIndexFacts;

/** A segment file. */
export interface ManifestSegment {
  readonly file: string;
  readonly rows: number;
  /** Undefined where rows are not vectors. */
  readonly vectors: number | undefined;
  readonly bytes: number;
  /** SHA-256 of what comes before the tensors. */
  readonly header: string;
}

/** The file that says which rows are removed. */
export interface ManifestRemoved {
  readonly file: string;
  readonly bytes: number;
  readonly sha256: string;
  readonly count: number;
}

/** A manifest's fields, but those that say what it is. */
export type IndexManifest = IndexFacts & IndexState;

/** The state of an index in its folder. */
export interface IndexState {
  /** Of the index's life in its folder, from its first save on. */
  readonly id: string;
  /** 1 for the first save, one more with each that changes anything. */
  readonly generation: number;
  readonly rows: number;
  /** Undefined where rows are not vectors. */
  readonly vectors: number | undefined;
  readonly segments: readonly ManifestSegment[];
  readonly removed: ManifestRemoved | null;
}

/** A manifest as it lies on the disk. */
export interface StoredManifest {
  readonly manifest: IndexManifest;
  /** Differs between any two states of any two indexes. */
  readonly checksum: string;
}

/** The manifest's name in the folder. */
export const MANIFEST_FILE = 'manifest.json';
/** Names of segment files. */
export const SEGMENT_NAME = /^segment-[0-9]{1,16}-[0-9a-f]{16}\.safetensors$/;
/** Names of files that say which rows are removed. */
export const REMOVED_NAME = /^removed-[0-9]{1,16}-[0-9a-f]{16}\.bin$/;

const FORMAT = 'granule-index';
const VERSION = 1;
const MAX_ROWS = 2 ** 32 - 1;
const ID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const SHA256 = /^[0-9a-f]{64}$/;

/** The text of a manifest, and its checksum. */
export function serialiseManifest(manifest: IndexManifest): { text: string; checksum: string } {
  const { kind, id, generation, rows, vectors, segments, removed } = manifest;
  const facts =
    manifest.kind === 'sparse'
      ? { saturating: manifest.saturating }
      : {
          dimension: manifest.dimension,
          metric: manifest.metric,
          dtype: manifest.dtype,
          codes: manifest.codes,
        };
  // What is undefined is not written.
  const fields = {
    format: FORMAT,
    version: VERSION,
    kind,
    id,
    generation,
    ...facts,
    rows,
    vectors,
    segments,
    removed,
  };
  const checksum = sha256(JSON.stringify(fields));
  return { text: `${JSON.stringify({ ...fields, checksum }, null, 2)}\n`, checksum };
}

/** @throws GranuleError `INDEX_CORRUPT`, `INDEX_VERSION_UNSUPPORTED` */
export function parseManifest(bytes: Uint8Array): StoredManifest {
  const parsed = parseJson(bytes);
  if (!isRecord(parsed) || parsed['format'] !== FORMAT) throw damaged('is not the manifest of an index');
  const { version } = parsed;
  // Before anything else: a newer version may write all of the rest differently.
  if (Number.isSafeInteger(version) && (version as number) > VERSION) {
    throw new GranuleError(
      'INDEX_VERSION_UNSUPPORTED',
      `${MANIFEST_FILE} has format version ${version}; this version of Granule reads ${VERSION}`,
      { file: MANIFEST_FILE, version: version as number },
    );
  }
  if (version !== VERSION) throw damaged('has no valid format version');
  const { checksum, ...fields } = parsed;
  // The fields first: what nests a hundred thousand times could be read, and not be written.
  const manifest = checkFields(fields);
  if (checksum !== sha256(JSON.stringify(fields))) throw damaged('does not match its checksum');
  return { manifest, checksum };
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes));
  } catch (cause) {
    throw damaged('is not JSON', cause);
  }
}

const STATE_FIELDS = ['format', 'version', 'kind', 'id', 'generation', 'rows', 'segments', 'removed'];
const FACT_FIELDS: Readonly<Record<IndexKind, readonly string[]>> = {
  flat: ['dimension', 'metric', 'dtype', 'codes', 'vectors'],
  'multi-vector': ['dimension', 'metric', 'dtype', 'codes', 'vectors'],
  sparse: ['saturating'],
};

function checkFields(fields: Record<string, unknown>): IndexManifest {
  const { kind } = fields;
  if (typeof kind !== 'string' || !Object.hasOwn(FACT_FIELDS, kind)) throw damaged('has no valid kind');
  checkKeySet(fields, [...STATE_FIELDS, ...FACT_FIELDS[kind as IndexKind]], 'the manifest');
  const facts = checkFacts(fields, kind as IndexKind);
  const { id, segments } = fields;
  if (!isMatch(id, ID)) throw damaged('has no valid id');
  if (!Array.isArray(segments)) throw damaged('has no list of segments');
  const rows = count(fields['rows'], 0, MAX_ROWS, 'rows');
  const manifest: IndexManifest = {
    ...facts,
    id,
    generation: count(fields['generation'], 1, Number.MAX_SAFE_INTEGER - 1, 'generation'),
    rows,
    vectors:
      kind === 'sparse' ? undefined : count(fields['vectors'], rows, Number.MAX_SAFE_INTEGER, 'vectors'),
    segments: segments.map((segment) => checkSegment(segment, facts.kind)),
    removed: fields['removed'] === null ? null : checkRemoved(fields['removed'], rows),
  };
  for (const total of ['rows', 'vectors'] as const) {
    const sum = manifest.segments.reduce((partial, segment) => partial + (segment[total] ?? 0), 0);
    if (sum !== (manifest[total] ?? 0))
      throw damaged(`counts ${manifest[total]} ${total}, and its segments ${sum}`);
  }
  if (new Set(manifest.segments.map(({ file }) => file)).size !== segments.length)
    throw damaged('names a segment twice');
  return manifest;
}

function checkFacts(fields: Record<string, unknown>, kind: IndexKind): IndexFacts {
  const { metric, dtype, codes, saturating } = fields;
  if (kind === 'sparse') {
    if (typeof saturating !== 'boolean') throw damaged("does not say whether it is 'saturating'");
    return { kind, saturating };
  }
  if (typeof metric !== 'string' || !Object.hasOwn(METRIC_CODES, metric))
    throw damaged('has no valid metric');
  if (typeof dtype !== 'string' || !Object.hasOwn(DTYPE_CODES, dtype)) throw damaged('has no valid dtype');
  if (codes !== 'int8' && codes !== 'none') throw damaged('has no valid codes');
  return {
    kind,
    dimension: count(fields['dimension'], 1, MAX_DIMENSION, 'dimension'),
    metric: metric as Metric,
    dtype: dtype as Dtype,
    codes,
  };
}

function checkSegment(value: unknown, kind: IndexKind): ManifestSegment {
  if (!isRecord(value)) throw damaged('has a segment that is not an object');
  const counts = kind === 'sparse' ? ['rows'] : ['rows', 'vectors'];
  checkKeySet(value, ['file', ...counts, 'bytes', 'header'], 'a segment');
  const { file, header } = value;
  if (!isMatch(file, SEGMENT_NAME)) throw damaged('has a segment without a valid name');
  if (!isMatch(header, SHA256)) throw damaged('has a segment without a valid checksum');
  const rows = count(value['rows'], 1, MAX_ROWS, 'rows');
  const mostVectors = kind === 'flat' ? rows : Number.MAX_SAFE_INTEGER;
  return {
    file,
    rows,
    vectors: kind === 'sparse' ? undefined : count(value['vectors'], rows, mostVectors, 'vectors'),
    bytes: count(value['bytes'], 1, Number.MAX_SAFE_INTEGER, 'bytes'),
    header,
  };
}

function checkRemoved(value: unknown, rows: number): ManifestRemoved {
  if (!isRecord(value)) throw damaged('has no valid removed rows');
  checkKeySet(value, ['file', 'bytes', 'sha256', 'count'], 'removed');
  const { file, sha256: digest } = value;
  if (!isMatch(file, REMOVED_NAME)) throw damaged('names no valid file of removed rows');
  if (!isMatch(digest, SHA256)) throw damaged('has no valid checksum of removed rows');
  const bytes = Math.ceil(rows / 8);
  return {
    file,
    bytes: count(value['bytes'], bytes, bytes, 'bytes'),
    sha256: digest,
    count: count(value['count'], 1, rows, 'count'),
  };
}

function checkKeySet(value: Record<string, unknown>, keys: readonly string[], name: string): void {
  const found = Object.keys(value);
  if (found.length !== keys.length || !keys.every((key) => Object.hasOwn(value, key))) {
    throw damaged(`has in ${name} not the fields ${keys.join(', ')}`);
  }
}

function count(value: unknown, least: number, most: number, name: string): number {
  if (!Number.isSafeInteger(value) || (value as number) < least || (value as number) > most) {
    throw damaged(`has an impossible number of '${name}'`);
  }
  return value as number;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isMatch(value: unknown, pattern: RegExp): value is string {
  return typeof value === 'string' && pattern.test(value);
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function damaged(what: string, cause?: unknown): GranuleError {
  return new GranuleError('INDEX_CORRUPT', `${MANIFEST_FILE} ${what}`, { file: MANIFEST_FILE }, { cause });
}
