/**
 * Checks of what callers pass to the engine. C++ trusts what came through here.
 *
 * @module
 */
import { freemem } from 'node:os';
import { types } from 'node:util';
import { GranuleError } from '../errors.js';
import {
  DTYPE_CODES,
  type Dtype,
  METRIC_CODES,
  type Metric,
  type NativeIndexOptions,
} from '../native/addon-types.js';
import { backendOf, type Device } from '../native/device.js';
import type { Matrix } from '../vectors/matrix.js';

/** Most numbers that a vector may have. */
export const MAX_DIMENSION = 65_536;

/** Most rows that an index holds. */
export const MAX_ROWS = 0xffff_ffff;

/** Most threads that an index may ask for. */
export const MAX_THREADS = 1_024;

/** Most places (queries x k, or query vectors x k with `explain`) that one search may return: 1 GiB per array. */
export const MAX_PLACES = 2 ** 28;

/** What both kinds of index are made from. */
export interface IndexOptions {
  /** Numbers per vector, 1 to 65,536. */
  readonly dimension: number;
  /** How rows are compared with a query; `ip` by default. */
  readonly metric?: Metric | undefined;
  /**
   * How vectors are kept: `f32`, the default, or `f16` (IEEE binary16) or `bf16` (bfloat16) in half the memory. What is
   * kept is the truth: vectors are rounded to the nearest, ties to even, when added (after normalising, for cosine), and
   * scores are those of the rounded numbers. Queries stay float32.
   */
  readonly dtype?: Dtype | undefined;
  /** Most threads that one call may use; 0, the default, means one per core. Results do not depend on it. */
  readonly threads?: number | undefined;
  /** `auto` by default. Results do not depend on it. */
  readonly device?: Device | undefined;
  /**
   * `int8`, the default, keeps a byte per number beside each vector: a search scans those and reads in full only what may
   * be among the k best. Results are the same bits with `none`, which scans the vectors themselves.
   */
  readonly codes?: keyof typeof CODE_KINDS | undefined;
}

const CODE_KINDS = { int8: true, none: false } as const;

/** @throws GranuleError `INVALID_ARGUMENT`, `DIMENSION_INVALID`, `DEVICE_UNAVAILABLE` */
export function checkIndexOptions(options: IndexOptions): NativeIndexOptions {
  checkKeys(options, ['dimension', 'metric', 'dtype', 'threads', 'device', 'codes']);
  const { dimension, metric = 'ip', dtype = 'f32', threads = 0, device = 'auto', codes = 'int8' } = options;
  if (!isIntegerBetween(dimension, 1, MAX_DIMENSION)) {
    throw new GranuleError(
      'DIMENSION_INVALID',
      `dimension must be an integer from 1 to ${MAX_DIMENSION}, got ${show(dimension)}`,
    );
  }
  if (!Object.hasOwn(METRIC_CODES, metric)) {
    throw invalid(`metric must be one of ${Object.keys(METRIC_CODES).join(', ')}, got ${show(metric)}`);
  }
  if (!Object.hasOwn(DTYPE_CODES, dtype)) {
    throw invalid(`dtype must be one of ${Object.keys(DTYPE_CODES).join(', ')}, got ${show(dtype)}`);
  }
  checkThreads(threads);
  if (!Object.hasOwn(CODE_KINDS, codes)) {
    throw invalid(`codes must be one of ${Object.keys(CODE_KINDS).join(', ')}, got ${show(codes)}`);
  }
  return {
    dimension,
    metric: METRIC_CODES[metric],
    dtype: DTYPE_CODES[dtype],
    threads,
    backend: backendOf(device),
    codes: CODE_KINDS[codes],
  };
}

/** @throws GranuleError `INVALID_ARGUMENT` */
export function checkThreads(threads: number): number {
  if (!isIntegerBetween(threads, 0, MAX_THREADS)) {
    throw invalid(`threads must be an integer from 0 to ${MAX_THREADS}, got ${show(threads)}`);
  }
  return threads;
}

/**
 * Makes sure that `options` is an object without keys that nobody reads: a misspelt option must not be lost in silence.
 *
 * @throws GranuleError `INVALID_ARGUMENT`
 */
export function checkKeys(options: object, known: readonly string[]): void {
  if (typeof options !== 'object' || options === null) {
    throw invalid(`options must be an object, got ${show(options)}`);
  }
  for (const key of Object.keys(options)) {
    if (!known.includes(key)) {
      throw invalid(`unknown option '${key}'; known are ${known.join(', ')}`, { option: key });
    }
  }
}

/**
 * The values of `vectors`, whole rows of `dimension`.
 *
 * @throws GranuleError `INVALID_ARGUMENT`, `LENGTH_MISMATCH`
 */
export function checkVectors(vectors: Float32Array | Matrix, dimension: number, name: string): Float32Array {
  if (isMatrix(vectors)) {
    const data = checkFloat32(vectors.data, `${name}.data`);
    if (vectors.columns !== dimension || vectors.rows * dimension !== data.length) {
      throw new GranuleError(
        'LENGTH_MISMATCH',
        `${name} is a matrix of ${show(vectors.rows)} x ${show(vectors.columns)} with ${data.length} values; its columns must be the index's dimension, ${dimension}`,
        { length: data.length, dimension },
      );
    }
    return data;
  }
  const data = checkFloat32(vectors, name);
  if (data.length % dimension !== 0) {
    throw new GranuleError(
      'LENGTH_MISMATCH',
      `${name} holds ${data.length} values, which do not make rows of ${dimension}`,
      { length: data.length, dimension },
    );
  }
  return data;
}

/**
 * As `checkVectors`, and at least one row.
 *
 * @throws GranuleError `INVALID_ARGUMENT`, `LENGTH_MISMATCH`
 */
export function checkQueries(queries: Float32Array | Matrix, dimension: number, name: string): Float32Array {
  const data = checkVectors(queries, dimension, name);
  if (data.length === 0) {
    throw new GranuleError(
      'LENGTH_MISMATCH',
      `${name} must hold at least one vector of ${dimension} values`,
      {
        length: 0,
        dimension,
      },
    );
  }
  return data;
}

/** @throws GranuleError `INVALID_ARGUMENT` */
export function checkFloat32(value: Float32Array, name: string): Float32Array {
  if (!types.isFloat32Array(value)) throw invalid(`${name} must be a Float32Array, got ${show(value)}`);
  checkReadable(value, name);
  return value;
}

/** @throws GranuleError `INVALID_ARGUMENT` */
export function checkUint32(value: Uint32Array, name: string): Uint32Array {
  if (!types.isUint32Array(value)) throw invalid(`${name} must be a Uint32Array, got ${show(value)}`);
  checkReadable(value, name);
  return value;
}

/**
 * One bias per row.
 *
 * @throws GranuleError `INVALID_ARGUMENT`, `LENGTH_MISMATCH`
 */
export function checkBiases(biases: Float32Array | undefined, rows: number): Float32Array | undefined {
  if (biases === undefined) return undefined;
  const data = checkFloat32(biases, 'biases');
  if (data.length !== rows) {
    throw new GranuleError('LENGTH_MISMATCH', `biases holds ${data.length} values for ${rows} rows`, {
      length: data.length,
      rows,
    });
  }
  return data;
}

/**
 * Taking memory that is not there would end the process.
 *
 * @throws GranuleError `INVALID_ARGUMENT`, `OUT_OF_MEMORY`
 */
export function checkReservation(vectors: number, vectorBytes: number): void {
  if (!isIntegerBetween(vectors, 0, MAX_ROWS)) {
    throw invalid(`vectors must be an integer from 0 to ${MAX_ROWS}, got ${show(vectors)}`);
  }
  // Node 20 has had the better figure, which knows of limits on a container, only since 20.13.
  const available = process.availableMemory?.() ?? freemem();
  const bytes = vectors * vectorBytes;
  if (bytes > available) {
    throw new GranuleError(
      'OUT_OF_MEMORY',
      `${vectors} vectors need ${bytes} bytes of memory, and ${available} are available`,
      { bytes, available },
    );
  }
}

/** @throws GranuleError `EMPTY_INDEX`, `K_OUT_OF_RANGE` */
export function checkK(k: number, rows: number): number {
  if (rows === 0) throw new GranuleError('EMPTY_INDEX', 'the index holds no rows yet');
  if (!isIntegerBetween(k, 1, rows)) {
    throw new GranuleError('K_OUT_OF_RANGE', `k must be an integer from 1 to ${rows}, got ${show(k)}`, {
      rows,
    });
  }
  return k;
}

/**
 * The result's memory is taken where a failure would end the process.
 *
 * @throws GranuleError `OUT_OF_MEMORY`
 */
export function checkPlaces(queries: number, k: number): void {
  const places = queries * k;
  if (places > MAX_PLACES) {
    throw new GranuleError(
      'OUT_OF_MEMORY',
      `a search returns at most ${MAX_PLACES} places, this one ${queries} x ${k}; divide the queries, or lower k`,
      { places },
    );
  }
}

/** @throws GranuleError `TEMPERATURE_INVALID` */
export function checkTemperature(temperature: number): number {
  if (typeof temperature !== 'number' || !Number.isFinite(temperature) || temperature <= 0) {
    throw new GranuleError(
      'TEMPERATURE_INVALID',
      `temperature must be a finite number above 0, got ${show(temperature)}`,
    );
  }
  return temperature;
}

/**
 * What a search asks of the softmax; a temperature of 0 means nothing.
 *
 * @throws GranuleError `INVALID_ARGUMENT`, `TEMPERATURE_INVALID`
 */
export function checkSoftmax(
  temperature: number | undefined,
  logSumExp: boolean | undefined,
): { temperature: number; logSumExp: boolean } {
  const asked = checkBoolean(logSumExp ?? false, 'logSumExp');
  if (temperature !== undefined) return { temperature: checkTemperature(temperature), logSumExp: asked };
  if (asked) throw new GranuleError('TEMPERATURE_INVALID', 'logSumExp needs a temperature');
  return { temperature: 0, logSumExp: false };
}

/** @throws GranuleError `FILTER_INVALID` */
export function checkFilter(filter: Uint8Array | undefined, rows: number): Uint8Array | undefined {
  if (filter === undefined) return undefined;
  if (!types.isUint8Array(filter)) {
    throw new GranuleError('FILTER_INVALID', `filter must be a Uint8Array, got ${show(filter)}`);
  }
  checkReadable(filter, 'filter');
  const expected = Math.ceil(rows / 8);
  if (filter.length !== expected) {
    throw new GranuleError(
      'FILTER_INVALID',
      `filter must hold one bit per row, ${expected} bytes for ${rows} rows, got ${filter.length} bytes`,
      { length: filter.length, expected, rows },
    );
  }
  return filter;
}

/**
 * Makes sure that an array was not transferred while a call waited for its turn.
 *
 * @throws GranuleError `INVALID_ARGUMENT`
 */
export function checkStillThere(array: Float32Array | Uint32Array, length: number, name: string): void {
  if (array.length !== length) throw invalid(`${name} was transferred elsewhere while the add waited`);
}

/** @throws GranuleError `INVALID_ARGUMENT` */
export function checkSignal(signal: AbortSignal | undefined): AbortSignal | undefined {
  if (signal === undefined) return undefined;
  if (typeof signal?.addEventListener !== 'function' || typeof signal.aborted !== 'boolean') {
    throw invalid(`signal must be an AbortSignal, got ${show(signal)}`);
  }
  return signal;
}

/** @throws GranuleError `INVALID_ARGUMENT` */
export function checkBoolean(value: boolean, name: string): boolean {
  if (typeof value !== 'boolean') throw invalid(`${name} must be true or false, got ${show(value)}`);
  return value;
}

/** How a value reads in an error message. */
export function show(value: unknown): string {
  if (typeof value === 'string') return `'${value}'`;
  if (typeof value !== 'object' || value === null) return String(value);
  if (Buffer.isBuffer(value)) return 'Buffer';
  return Object.prototype.toString.call(value).slice('[object '.length, -1);
}

/**
 * The workers read the memory of an array while JavaScript goes on: it must be there, and it must not be able to shrink.
 */
function checkReadable(array: Float32Array | Uint32Array | Uint8Array, name: string): void {
  const buffer: ArrayBufferLike & { readonly resizable?: boolean } = array.buffer;
  if (buffer.resizable === true) {
    throw invalid(`${name} lies in a resizable ArrayBuffer, which may shrink while it is read; pass a copy`);
  }
  if (array.length === 0 && isDetached(buffer)) {
    throw invalid(`${name} lies in a detached ArrayBuffer: it was transferred elsewhere`);
  }
}

/** Node 20 has no `ArrayBuffer.prototype.detached`. */
function isDetached(buffer: ArrayBufferLike): boolean {
  try {
    new Uint8Array(buffer);
    return false;
  } catch {
    return true;
  }
}

function isMatrix(value: unknown): value is Matrix {
  return typeof value === 'object' && value !== null && !ArrayBuffer.isView(value) && 'data' in value;
}

function isIntegerBetween(value: unknown, least: number, most: number): value is number {
  return Number.isInteger(value) && (value as number) >= least && (value as number) <= most;
}

function invalid(message: string, details: Record<string, string> = {}): GranuleError {
  return new GranuleError('INVALID_ARGUMENT', message, details);
}
