/**
 * The header of a file of towers: that of safetensors (https://github.com/huggingface/safetensors), one text for one content.
 *
 *     8 bytes   length of the header, little-endian
 *     header    JSON: __metadata__, then per tensor its dtype, shape and place; spaces up to a multiple of 64 bytes
 *     tensors   float32, little-endian, row-major, one after the other
 *
 * @module
 */
import { GranuleError } from '../../errors.js';
import { checkTowerShape, type TowerShape, towerTensors } from '../towers/tower-shape.js';

/** Most bytes of a header. */
export const MAX_HEADER_BYTES = 1 << 20;

/** Whose tower a file holds. */
export const TOWER_SIDES = ['query', 'document'] as const;

/** Whose vectors a tower maps. */
export type TowerSide = (typeof TOWER_SIDES)[number];

/** What a file says besides the numbers. */
export interface TowerFacts {
  readonly query: TowerShape | undefined;
  readonly document: TowerShape | undefined;
  readonly hasTemperature: boolean;
  /** The writer's own, without reserved keys. */
  readonly metadata: Readonly<Record<string, string>>;
}

/** A tensor of a file. */
export interface TensorPlace {
  readonly name: string;
  readonly shape: readonly number[];
  /** Bytes from the first tensor on. */
  readonly begin: number;
  readonly end: number;
}

/** A header that was read and makes sense. */
export interface TowerHeader {
  readonly facts: TowerFacts;
  readonly tensors: readonly TensorPlace[];
  readonly sha256: string;
}

const FORMAT = 'granule-towers';
const VERSION = '1';
const ALIGNMENT = 64;
const NO_CHECKSUM = '0'.repeat(64);

/** Keys of the metadata that are the format's own. */
export const RESERVED_KEYS: readonly string[] = ['format', 'version', ...TOWER_SIDES, 'sha256'];

/** The tensors of a file, in order: those of the query's tower, of the document's, the temperature. */
export function placeTensors({
  query,
  document,
  hasTemperature,
}: Omit<TowerFacts, 'metadata'>): TensorPlace[] {
  const named = Object.entries({ query, document }).flatMap(([side, shape]) =>
    shape === undefined
      ? []
      : towerTensors(shape).map((tensor) => ({ name: `${side}.${tensor.name}`, shape: tensor.shape })),
  );
  const all = hasTemperature ? [...named, { name: 'log_temperature', shape: [1] }] : named;
  let end = 0;
  return all.map(({ name, shape }) => {
    const begin = end;
    end += shape.reduce((product: number, length) => product * length, Float32Array.BYTES_PER_ELEMENT);
    return { name, shape, begin, end };
  });
}

/** All that comes before the tensors; without `sha256` what the checksum is taken over. */
export function headerBytes(facts: TowerFacts, sha256 = NO_CHECKSUM): Uint8Array {
  const text = new TextEncoder().encode(headerText(facts, sha256));
  const size = Math.ceil((8 + text.length) / ALIGNMENT) * ALIGNMENT;
  const bytes = new Uint8Array(size).fill(0x20);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(size - 8), true);
  bytes.set(text, 8);
  return bytes;
}

/**
 * Reads a header, and makes sure that it is the one text that says this.
 *
 * @param bytes - without the length
 * @param file - for messages
 * @throws GranuleError `TOWER_FILE_INVALID`
 */
export function parseHeader(bytes: Uint8Array, file: string): TowerHeader {
  const { __metadata__: metadata, ...entries } = parseObject(decode(bytes, file), file, 'header');
  if (!isRecord(metadata) || metadata['format'] !== FORMAT) {
    throw invalidTowerFile(file, 'holds tensors, and does not say that they are towers of Granule');
  }
  if (metadata['version'] !== VERSION) {
    throw invalidTowerFile(
      file,
      `is of version ${String(metadata['version'])} of the format; this Granule reads version ${VERSION}`,
    );
  }
  const { format, version, query, document, sha256, ...own } = metadata;
  const wrong = Object.entries(metadata).find(([, value]) => typeof value !== 'string');
  if (wrong !== undefined) throw invalidTowerFile(file, `has metadata '${wrong[0]}' that is no text`);
  if (typeof sha256 !== 'string' || !/^[0-9a-f]{64}$/.test(sha256)) {
    throw invalidTowerFile(file, 'has no checksum');
  }
  if (query === undefined && document === undefined) throw invalidTowerFile(file, 'holds no tower');
  const facts = {
    query: shapeOf(query as string | undefined, 'query', file),
    document: shapeOf(document as string | undefined, 'document', file),
    hasTemperature: 'log_temperature' in entries,
    metadata: own as Record<string, string>,
  };
  const tensors = placeTensors(facts);
  compareTensors(entries, tensors, file);
  if (!Buffer.from(headerBytes(facts, sha256)).subarray(8).equals(bytes)) {
    throw invalidTowerFile(
      file,
      'has a header that says the right things in another way than Granule writes them',
    );
  }
  return { facts, tensors, sha256 };
}

/** What is wrong with a file of towers. */
export function invalidTowerFile(
  file: string,
  what: string,
  details: Record<string, string | number> = {},
  cause?: unknown,
): GranuleError {
  return new GranuleError('TOWER_FILE_INVALID', `${file} ${what}`, { file, ...details }, { cause });
}

function headerText(facts: TowerFacts, sha256: string): string {
  const shapes = TOWER_SIDES.filter((side) => facts[side] !== undefined).map((side) => [
    side,
    JSON.stringify(facts[side]),
  ]);
  const metadata = {
    format: FORMAT,
    version: VERSION,
    ...Object.fromEntries(shapes),
    sha256,
    ...facts.metadata,
  };
  const entries = placeTensors(facts).map(({ name, shape, begin, end }) => [
    name,
    entryOf(shape, begin, end),
  ]);
  return JSON.stringify({ __metadata__: metadata, ...Object.fromEntries(entries) });
}

function entryOf(shape: readonly number[], begin: number, end: number): object {
  return { dtype: 'F32', shape, data_offsets: [begin, end] };
}

function shapeOf(text: string | undefined, side: TowerSide, file: string): TowerShape | undefined {
  if (text === undefined) return undefined;
  const shape = parseObject(text, file, `metadata '${side}'`) as unknown as TowerShape;
  try {
    checkTowerShape(shape);
  } catch (cause) {
    throw invalidTowerFile(
      file,
      `has no shape of a tower as '${side}': ${(cause as Error).message}`,
      {},
      cause,
    );
  }
  return shape;
}

/** Says which tensor is not as the towers have it. */
function compareTensors(
  entries: Readonly<Record<string, unknown>>,
  tensors: readonly TensorPlace[],
  file: string,
): void {
  for (const { name, shape, begin, end } of tensors) {
    const expected = JSON.stringify(entryOf(shape, begin, end));
    const found = JSON.stringify(entries[name]) ?? 'none';
    if (found !== expected) {
      throw invalidTowerFile(
        file,
        `has ${found.slice(0, 200)} as tensor '${name}', and its towers need ${expected}`,
        {
          tensor: name,
        },
      );
    }
  }
  const known = new Set(tensors.map(({ name }) => name));
  const unknown = Object.keys(entries).find((name) => !known.has(name));
  if (unknown !== undefined) {
    throw invalidTowerFile(file, `has a tensor '${unknown.slice(0, 200)}', which its towers have not`, {
      tensor: unknown,
    });
  }
}

function decode(bytes: Uint8Array, file: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw invalidTowerFile(file, 'has a header that is not UTF-8', {}, cause);
  }
}

function parseObject(text: string, file: string, what: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw invalidTowerFile(file, `has a ${what} that is not JSON`, {}, cause);
  }
  if (!isRecord(value)) throw invalidTowerFile(file, `has a ${what} that is no JSON object`);
  return value;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
