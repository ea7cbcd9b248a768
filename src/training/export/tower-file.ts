import { GranuleError } from '../../errors.js';
import { checkKeys, checkSignal, show } from '../../index/arguments.js';
import { type FileTensor, readTensorFile, type TensorFile, writeTensorFile } from '../files/tensor-file.js';
import {
  FORMAT_KEYS,
  invalidTrainingFile,
  parseObject,
  type TensorPlan,
} from '../files/tensor-file-header.js';
import { namedParameters } from '../towers/parameter.js';
import { Tower } from '../towers/tower.js';
import { checkTowerShape, type TowerShape, towerTensors } from '../towers/tower-shape.js';

const FORMAT = { name: 'granule-towers', version: '1', holds: 'towers of Granule' } as const;
const SIDES = ['query', 'document'] as const;
const LOG_TEMPERATURE = 'log_temperature';
const RESERVED_KEYS: readonly string[] = [...FORMAT_KEYS, ...SIDES];

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
  const signal = checkSignal(options.signal);
  await writeTensorFile(file, FORMAT, checkContent(content), signal);
}

/**
 * Reads what {@link writeTowers} wrote, and what `granule train` and `saveAdapter` do. Everything is checked before it is used: the header against
 * the towers' shapes, the length of the file before memory is taken, the checksum, and that every number is finite.
 *
 * @throws GranuleError `FILE_NOT_FOUND`; `TRAINING_FILE_INVALID` for a file that is cut short, altered, of a later version or of something
 * else, with `details.tensor`, `.row` and `.column` where one is at fault; `OUT_OF_MEMORY`, `ABORTED`
 */
export async function readTowers(file: string, options: TowerFileOptions = {}): Promise<ReadTowerFile> {
  checkKeys(options, ['signal']);
  const signal = checkSignal(options.signal);
  const content = await readTensorFile(
    file,
    FORMAT,
    (metadata, names) => tensorsOf(shapesOf(metadata, file), names.has(LOG_TEMPERATURE)),
    signal,
  );
  const { query: _, document: __, ...metadata } = content.metadata;
  const shapes = shapesOf(content.metadata, file);
  return {
    query: towerOf('query', shapes, content),
    document: towerOf('document', shapes, content),
    logTemperature: content.tensors.get(LOG_TEMPERATURE)?.values[0],
    metadata,
  };
}

type Shapes = Readonly<Record<(typeof SIDES)[number], TowerShape | undefined>>;

/** The tensors of a file, in order: those of the query's tower, of the document's, the temperature. */
function tensorsOf(shapes: Shapes, hasTemperature: boolean): TensorPlan[] {
  const named = SIDES.flatMap((side) => {
    const shape = shapes[side];
    return shape === undefined
      ? []
      : towerTensors(shape).map((tensor) => ({ name: `${side}.${tensor.name}`, shape: tensor.shape }));
  });
  const all = hasTemperature ? [...named, { name: LOG_TEMPERATURE, shape: [1] }] : named;
  return all.map((tensor) => ({ ...tensor, dtype: 'F32' }));
}

function checkContent(content: TowerFile): TensorFile {
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
  if (
    logTemperature !== undefined &&
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
  const towers = { ...(query && { query }), ...(document && { document }) };
  const shapes = Object.entries(towers).map(([side, { shape }]) => [side, JSON.stringify(shape)]);
  const tensors = new Map<string, FileTensor>(namedParameters(towers));
  if (logTemperature !== undefined) {
    tensors.set(LOG_TEMPERATURE, { shape: [1], values: Float32Array.of(logTemperature) });
  }
  return { tensors, metadata: { ...Object.fromEntries(shapes), ...metadata } };
}

function shapesOf(metadata: Readonly<Record<string, string>>, file: string): Shapes {
  const [query, document] = SIDES.map((side) => shapeOf(metadata[side], side, file));
  if (query === undefined && document === undefined) throw invalidTrainingFile(file, 'holds no tower');
  return { query, document };
}

function shapeOf(text: string | undefined, side: string, file: string): TowerShape | undefined {
  if (text === undefined) return undefined;
  const shape = parseObject(text, file, `metadata '${side}'`) as unknown as TowerShape;
  try {
    checkTowerShape(shape);
  } catch (cause) {
    throw invalidTrainingFile(
      file,
      `has no shape of a tower as '${side}': ${(cause as Error).message}`,
      {},
      cause,
    );
  }
  return shape;
}

function towerOf(side: 'query' | 'document', shapes: Shapes, { tensors }: TensorFile): Tower | undefined {
  const shape = shapes[side];
  if (shape === undefined) return undefined;
  const own = towerTensors(shape).map(({ name }) => [name, tensors.get(`${side}.${name}`)!.values]);
  return Tower.from(shape, Object.fromEntries(own));
}

function invalid(message: string): GranuleError {
  return new GranuleError('INVALID_ARGUMENT', message);
}
