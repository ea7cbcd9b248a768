import { createHash, type Hash } from 'node:crypto';
import { type FileHandle, open, rm } from 'node:fs/promises';
import { EventLoopTurns } from '../../approximate/event-loop-turns.js';
import { unlessSystem } from '../../corpus/storage/corpus-files.js';
import { unreadableFile } from '../../corpus/unreadable-file.js';
import { GranuleError } from '../../errors.js';
import { writeDurably } from '../../files/durable-file.js';
import { checkKeys, checkSignal, show } from '../../index/arguments.js';
import { numbers } from '../towers/parameter.js';
import { Tower } from '../towers/tower.js';
import { firstNotFinite, refuseNotFinite } from './finite-values.js';
import {
  headerBytes,
  invalidTowerFile,
  MAX_HEADER_BYTES,
  parseHeader,
  placeTensors,
  RESERVED_KEYS,
  type TensorPlace,
  type TowerFacts,
} from './tower-file-header.js';

/** Bytes that are hashed or read at a time, so that the event loop is never held for long. */
const CHUNK = 1 << 18;

/** What {@link writeTowers} keeps. */
export interface TowerFile {
  /** Of the queries' vectors. */
  readonly query?: Tower | undefined;
  /** Of the vectors that an index keeps; there must be a tower of at least one of the two. */
  readonly document?: Tower | undefined;
  /** The natural logarithm of the temperature of comparisons; kept as float32. */
  readonly logTemperature?: number | undefined;
  /**
   * Texts by name, such as which encoder gave the vectors. All of the header has at most 1 MiB; `format`, `version`, `query`, `document`
   * and `sha256` are the format's own.
   */
  readonly metadata?: Readonly<Record<string, string>> | undefined;
}

/** What {@link readTowers} finds. */
export interface ReadTowerFile {
  readonly query: Tower | undefined;
  readonly document: Tower | undefined;
  readonly logTemperature: number | undefined;
  readonly metadata: Readonly<Record<string, string>>;
}

/** Options of {@link writeTowers} and {@link readTowers}. */
export interface TowerFileOptions {
  /** Stops the work. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Writes towers to one `.safetensors` file, which any tool of that format reads: tensors `query.weight`, `document.down`, ...,
 * `log_temperature`, all float32; the towers' shapes and a SHA-256 over everything in the metadata. After a crash the whole file, or what
 * was there before, is there. Parameters are read where they lie: leave them as they are until the promise settles.
 *
 * @param file - a path; a file that is there is replaced
 * @throws GranuleError `INVALID_ARGUMENT`; `NOT_FINITE` with `details.parameter`, `.row` and `.column`; `FILE_NOT_WRITABLE`, `ABORTED`
 */
export async function writeTowers(
  file: string,
  content: TowerFile,
  options: TowerFileOptions = {},
): Promise<void> {
  checkKeys(options, ['signal']);
  const turns = new EventLoopTurns(checkSignal(options.signal));
  const facts = factsOf(content);
  const header = headerBytes(facts);
  if (header.length > MAX_HEADER_BYTES) {
    throw invalid(`metadata makes a header of ${header.length} bytes; it may have ${MAX_HEADER_BYTES}`);
  }
  const tensors = tensorsOf(facts, content);
  await turns.pass();
  const hash = createHash('sha256').update(header);
  for (const { name, shape, values } of tensors) {
    await refuseNotFinite(name, { values, shape }, turns);
    await updateHash(hash, bytesOf(values), turns);
  }
  const parts = [headerBytes(facts, hash.digest('hex')), ...tensors.map(({ values }) => bytesOf(values))];
  try {
    await writeDurably(file, parts);
  } catch (error) {
    await rm(`${file}.tmp`, { force: true }).catch(() => undefined);
    throw unlessSystem(error, file);
  }
}

/**
 * Reads what {@link writeTowers} wrote. Everything is checked before it is used: the header against the towers' shapes, the length of the
 * file before memory is taken, the checksum, and that every number is finite.
 *
 * @throws GranuleError `FILE_NOT_FOUND`; `TOWER_FILE_INVALID` for a file that is cut short, altered, of a later version or of something
 * else, with `details.tensor`, `.row` and `.column` where one is at fault; `OUT_OF_MEMORY`, `ABORTED`
 */
export async function readTowers(file: string, options: TowerFileOptions = {}): Promise<ReadTowerFile> {
  checkKeys(options, ['signal']);
  const turns = new EventLoopTurns(checkSignal(options.signal));
  const handle = await open(file, 'r').catch(unreadableFile(file));
  try {
    await turns.pass();
    return await readFrom(handle, file, turns);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).syscall === undefined) throw error;
    return unreadableFile(file)(error as Error);
  } finally {
    await handle.close();
  }
}

async function readFrom(handle: FileHandle, file: string, turns: EventLoopTurns): Promise<ReadTowerFile> {
  const { size } = await handle.stat();
  const length = Buffer.alloc(8);
  if (size < 8 || (await handle.read(length, 0, 8, 0)).bytesRead < 8) {
    throw invalidTowerFile(file, `has ${size} bytes, too few for a file of tensors`);
  }
  const headerSize = Number(length.readBigUInt64LE());
  if (8 + headerSize > MAX_HEADER_BYTES) {
    throw invalidTowerFile(file, `claims a header of ${headerSize} bytes; it may have ${MAX_HEADER_BYTES}`);
  }
  if (8 + headerSize > size) throw invalidTowerFile(file, 'is cut short within its header');
  const bytes = new Uint8Array(headerSize);
  await readFully(handle, bytes, 8, file);
  const { facts, tensors, sha256 } = parseHeader(bytes, file);
  const expected = 8 + headerSize + (tensors.at(-1)?.end ?? 0);
  if (size !== expected) {
    throw invalidTowerFile(
      file,
      `has ${size} bytes, and its header says ${expected}: it was cut short or added to`,
    );
  }
  const values = new Map<string, Float32Array>();
  const hash = createHash('sha256').update(headerBytes(facts));
  for (const { name, begin, end } of tensors) {
    const tensor = numbers((end - begin) / Float32Array.BYTES_PER_ELEMENT);
    await readFully(handle, bytesOf(tensor), 8 + headerSize + begin, file, { hash, turns });
    values.set(name, tensor);
  }
  if (hash.digest('hex') !== sha256) {
    throw invalidTowerFile(file, 'was altered: its checksum is not that of what it holds');
  }
  for (const { name, shape } of tensors) {
    const wrong = await firstNotFinite(values.get(name)!, shape, turns);
    if (wrong === undefined) continue;
    const { row, column, value } = wrong;
    throw invalidTowerFile(file, `holds ${value} in ${name}, row ${row}, column ${column}`, {
      tensor: name,
      row,
      column,
    });
  }
  return {
    query: towerOf('query', facts, values),
    document: towerOf('document', facts, values),
    logTemperature: values.get('log_temperature')?.[0],
    metadata: facts.metadata,
  };
}

function factsOf(content: TowerFile): TowerFacts {
  checkKeys(content, ['query', 'document', 'logTemperature', 'metadata']);
  const { query, document, logTemperature, metadata = {} } = content;
  if (query === undefined && document === undefined) {
    throw invalid('a tower is needed: query, document, or both');
  }
  for (const [side, tower] of Object.entries({ query, document })) {
    if (tower !== undefined && !(tower instanceof Tower)) {
      throw invalid(`${side} must be a Tower, got ${show(tower)}`);
    }
  }
  const hasTemperature = logTemperature !== undefined;
  if (
    hasTemperature &&
    !(typeof logTemperature === 'number' && Number.isFinite(Math.fround(logTemperature)))
  ) {
    throw invalid(`logTemperature must be a finite float32, got ${show(logTemperature)}`);
  }
  if (typeof metadata !== 'object' || metadata === null) {
    throw invalid(`metadata must be an object, got ${show(metadata)}`);
  }
  for (const [name, text] of Object.entries(metadata)) {
    if (RESERVED_KEYS.includes(name)) throw invalid(`metadata may not hold '${name}', which the format has`);
    if (typeof text !== 'string') throw invalid(`metadata must hold texts; ${name} is ${show(text)}`);
  }
  return { query: query?.shape, document: document?.shape, hasTemperature, metadata };
}

function tensorsOf(
  facts: TowerFacts,
  { query, document, logTemperature = 0 }: TowerFile,
): (TensorPlace & { readonly values: Float32Array })[] {
  const values = new Map<string, Float32Array>([['log_temperature', Float32Array.of(logTemperature)]]);
  for (const [side, tower] of Object.entries({ query, document })) {
    for (const [name, parameter] of tower?.parameters ?? []) values.set(`${side}.${name}`, parameter.values);
  }
  return placeTensors(facts).map((place) => ({ ...place, values: values.get(place.name)! }));
}

function towerOf(
  side: 'query' | 'document',
  facts: TowerFacts,
  values: ReadonlyMap<string, Float32Array>,
): Tower | undefined {
  const shape = facts[side];
  if (shape === undefined) return undefined;
  const own = [...values].filter(([name]) => name.startsWith(`${side}.`));
  return Tower.from(
    shape,
    Object.fromEntries(own.map(([name, data]) => [name.slice(side.length + 1), data])),
  );
}

/** Fills `bytes` from `position` on, and hashes them on the way. */
async function readFully(
  handle: FileHandle,
  bytes: Uint8Array,
  position: number,
  file: string,
  checked?: { readonly hash: Hash; readonly turns: EventLoopTurns },
): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    if (checked?.turns.over) await checked.turns.pass();
    const length = Math.min(CHUNK, bytes.length - done);
    const { bytesRead } = await handle.read(bytes, done, length, position + done);
    if (bytesRead === 0) throw invalidTowerFile(file, 'was cut short while it was read');
    checked?.hash.update(bytes.subarray(done, done + bytesRead));
    done += bytesRead;
  }
}

async function updateHash(hash: Hash, bytes: Uint8Array, turns: EventLoopTurns): Promise<void> {
  for (let start = 0; start < bytes.length; start += CHUNK) {
    if (turns.over) await turns.pass();
    hash.update(bytes.subarray(start, start + CHUNK));
  }
}

function bytesOf(values: Float32Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}

function invalid(message: string): GranuleError {
  return new GranuleError('INVALID_ARGUMENT', message);
}
