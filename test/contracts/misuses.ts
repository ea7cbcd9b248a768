/** Every way in which a caller can misuse the engine, with the code and the details that it must be answered with. */
import {
  type ErrorCode,
  FlatIndex,
  MultiVectorIndex,
  matrix,
  rowFilter,
  topKSoftmax,
} from '../../src/index.js';

export const floats = (length: number) => new Float32Array(length).fill(1);

export async function flat(): Promise<FlatIndex> {
  const index = new FlatIndex({ dimension: 4 });
  await index.add(floats(40));
  return index;
}

export async function multi(): Promise<MultiVectorIndex> {
  const index = new MultiVectorIndex({ dimension: 4 });
  await index.add(floats(40), Uint32Array.of(4, 1, 5));
  return index;
}

function detached(length: number): Float32Array {
  const array = floats(length);
  structuredClone(array.buffer, { transfer: [array.buffer] });
  return array;
}

function resizable(length: number): Float32Array {
  const Resizable = ArrayBuffer as unknown as new (bytes: number, options: object) => ArrayBuffer;
  return new Float32Array(new Resizable(length * 4, { maxByteLength: length * 8 }));
}

export function withValue(length: number, at: number, value: number): Float32Array {
  const array = floats(length);
  array[at] = value;
  return array;
}

/** A value of the wrong type. */
// biome-ignore lint/suspicious/noExplicitAny: callers in JavaScript pass anything
export const wrong = (value: unknown) => value as any;

export interface Misuse {
  what: string;
  code: ErrorCode;
  run: (flat: FlatIndex, multi: MultiVectorIndex) => unknown;
  details?: Record<string, unknown>;
  message?: RegExp;
}

const NOT_FLOAT32: [string, unknown, RegExp][] = [
  ['a Float64Array', new Float64Array(4), /vectors must be a Float32Array, got Float64Array/],
  ['an array', [1, 2, 3, 4], /got Array/],
  ['arrays of arrays', [[1, 2, 3, 4]], /got Array/],
  ['a DataView', new DataView(new ArrayBuffer(16)), /got DataView/],
  ['a Buffer', Buffer.alloc(16), /got Buffer/],
  ['an ArrayBuffer', new ArrayBuffer(16), /got ArrayBuffer/],
  ['an Int32Array', new Int32Array(4), /got Int32Array/],
  ['a string', 'abcd', /got 'abcd'/],
  ['null', null, /got null/],
  ['undefined', undefined, /got undefined/],
  ['detached memory', detached(4), /detached/],
  ['resizable memory', resizable(4), /resizable/],
  [
    'a matrix of doubles',
    { data: new Float64Array(4), rows: 1, columns: 4 },
    /vectors\.data must be a Float32Array/,
  ],
];

export const MISUSES: Misuse[] = [
  // Making an index
  ...[0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 65_537, '8', undefined, null, 8n].flatMap(
    (dimension): Misuse[] => [
      {
        what: `FlatIndex of dimension ${String(dimension)}`,
        code: 'DIMENSION_INVALID',
        run: () => new FlatIndex({ dimension: wrong(dimension) }),
        message: /65536/,
      },
      {
        what: `MultiVectorIndex of dimension ${String(dimension)}`,
        code: 'DIMENSION_INVALID',
        run: () => new MultiVectorIndex({ dimension: wrong(dimension) }),
      },
    ],
  ),
  ...['dot', 'toString', 0, null].map(
    (metric): Misuse => ({
      what: `metric ${metric}`,
      code: 'INVALID_ARGUMENT',
      run: () => new FlatIndex({ dimension: 4, metric: wrong(metric) }),
      message: /metric must be one of ip, cosine, l2/,
    }),
  ),
  ...[-1, 1.5, 1e9, '2'].map(
    (threads): Misuse => ({
      what: `threads ${threads}`,
      code: 'INVALID_ARGUMENT',
      run: () => new FlatIndex({ dimension: 4, threads: wrong(threads) }),
    }),
  ),
  {
    what: 'an unknown device',
    code: 'INVALID_ARGUMENT',
    run: () => new FlatIndex({ dimension: 4, device: wrong('tpu') }),
  },
  {
    what: 'no options for an index',
    code: 'INVALID_ARGUMENT',
    run: () => new FlatIndex(wrong(undefined)),
  },
  {
    what: 'a misspelt option of an index',
    code: 'INVALID_ARGUMENT',
    run: () => new FlatIndex(wrong({ dimension: 4, metrics: 'l2' })),
    details: { option: 'metrics' },
  },
  // Vectors
  ...NOT_FLOAT32.flatMap(([name, value, message]): Misuse[] => [
    { what: `adding ${name}`, code: 'INVALID_ARGUMENT', run: (flat) => flat.add(wrong(value)), message },
    {
      what: `adding ${name} as documents`,
      code: 'INVALID_ARGUMENT',
      run: (_, multi) => multi.add(wrong(value), Uint32Array.of(1)),
      message,
    },
    {
      what: `searching with ${name}`,
      code: 'INVALID_ARGUMENT',
      run: (flat) => flat.search(wrong(value), { k: 1 }),
    },
    {
      what: `searching documents with ${name}`,
      code: 'INVALID_ARGUMENT',
      run: (_, multi) => multi.search(wrong(value), { k: 1 }),
    },
  ]),
  {
    what: 'rows that are cut short',
    code: 'LENGTH_MISMATCH',
    run: (flat) => flat.add(floats(7)),
    details: { length: 7, dimension: 4 },
  },
  {
    what: 'a matrix of other columns',
    code: 'LENGTH_MISMATCH',
    run: (flat) => flat.add(matrix(floats(8), 2)),
  },
  {
    what: 'a matrix that lies about its rows',
    code: 'LENGTH_MISMATCH',
    run: (flat) => flat.add({ data: floats(8), rows: 3, columns: 4 }),
  },
  {
    what: 'queries that are cut short',
    code: 'LENGTH_MISMATCH',
    run: (flat) => flat.search(floats(5), { k: 1 }),
    details: { length: 5, dimension: 4 },
  },
  { what: 'no queries', code: 'LENGTH_MISMATCH', run: (flat) => flat.search(floats(0), { k: 1 }) },
  { what: 'no query vectors', code: 'LENGTH_MISMATCH', run: (_, multi) => multi.search(floats(0), { k: 1 }) },
  ...[Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY].flatMap((value): Misuse[] => [
    {
      what: `adding ${value}`,
      code: 'NOT_FINITE',
      run: (flat) => flat.add(withValue(40, 23, value)),
      details: { row: 5, column: 3 },
      message: /row 5, column 3/,
    },
    {
      what: `adding ${value} in a document`,
      code: 'NOT_FINITE',
      run: (_, multi) => multi.add(withValue(40, 38, value), Uint32Array.of(9, 1)),
      details: { row: 9, column: 2 },
    },
    {
      what: `searching with ${value}`,
      code: 'NOT_FINITE',
      run: (flat) => flat.search(withValue(12, 4, value), { k: 1 }),
      details: { row: 1, column: 0 },
    },
    {
      what: `searching documents with ${value}`,
      code: 'NOT_FINITE',
      run: (_, multi) => multi.search(withValue(12, 11, value), { k: 1 }),
      details: { row: 2, column: 3 },
    },
    {
      what: `softmax of ${value}`,
      code: 'NOT_FINITE',
      run: () => topKSoftmax(withValue(9, 7, value), { k: 1 }),
      details: { row: 7 },
    },
  ]),
  // Documents
  {
    what: 'an empty document',
    code: 'EMPTY_DOCUMENT',
    run: (_, multi) => multi.add(floats(8), Uint32Array.of(1, 0, 1)),
    details: { row: 1 },
  },
  ...[[1], [1, 2], [0xffff_ffff, 3]].map(
    (lengths): Misuse => ({
      what: `lengths ${lengths} for two vectors`,
      code: 'LENGTH_MISMATCH',
      run: (_, multi) => multi.add(floats(8), Uint32Array.from(lengths)),
    }),
  ),
  {
    what: 'vectors without a document',
    code: 'LENGTH_MISMATCH',
    run: (_, multi) => multi.add(floats(8), new Uint32Array(0)),
  },
  {
    what: 'lengths that are no Uint32Array',
    code: 'INVALID_ARGUMENT',
    run: (_, multi) => multi.add(floats(8), wrong([1, 1])),
    message: /lengths must be a Uint32Array, got Array/,
  },
  {
    what: 'a query without vectors',
    code: 'LENGTH_MISMATCH',
    run: (_, multi) => multi.search(floats(8), { k: 1, lengths: Uint32Array.of(2, 0) }),
    details: { query: 1 },
  },
  {
    what: 'lengths of queries that do not add up',
    code: 'LENGTH_MISMATCH',
    run: (_, multi) => multi.search(floats(8), { k: 1, lengths: Uint32Array.of(2, 1) }),
    details: { sum: 3, vectors: 2 },
  },
  // Options of a search
  ...[0, -1, 11, 1.5, Number.NaN, '3', null, undefined].map(
    (k): Misuse => ({
      what: `k ${k} of 10 rows`,
      code: 'K_OUT_OF_RANGE',
      run: (flat) => flat.search(floats(4), { k: wrong(k) }),
      details: { rows: 10 },
      message: /from 1 to 10/,
    }),
  ),
  {
    what: 'k above the documents',
    code: 'K_OUT_OF_RANGE',
    run: (_, multi) => multi.search(floats(4), { k: 4 }),
    details: { rows: 3 },
  },
  {
    what: 'searching an empty index',
    code: 'EMPTY_INDEX',
    run: () => new FlatIndex({ dimension: 4 }).search(floats(4), { k: 1 }),
  },
  {
    what: 'searching an empty index of documents',
    code: 'EMPTY_INDEX',
    run: () => new MultiVectorIndex({ dimension: 4 }).search(floats(4), { k: 1 }),
  },
  ...[0, 1, 3].map(
    (bytes): Misuse => ({
      what: `a filter of ${bytes} bytes for 10 rows`,
      code: 'FILTER_INVALID',
      run: (flat) => flat.search(floats(4), { k: 1, filter: new Uint8Array(bytes) }),
      details: { length: bytes, expected: 2, rows: 10 },
    }),
  ),
  ...[[true], new Uint16Array(2), 'ff', null].map(
    (filter): Misuse => ({
      what: `a filter that is ${Object.prototype.toString.call(filter)}`,
      code: 'FILTER_INVALID',
      run: (flat) => flat.search(floats(4), { k: 1, filter: wrong(filter) }),
    }),
  ),
  { what: 'a filter row that is not there', code: 'FILTER_INVALID', run: () => rowFilter(10, [10]) },
  {
    what: 'no candidates',
    code: 'CANDIDATES_INVALID',
    run: (_, multi) => multi.search(floats(4), { k: 1, candidates: new Uint32Array(0) }),
  },
  {
    what: 'a candidate that is not there',
    code: 'CANDIDATES_INVALID',
    run: (_, multi) => multi.search(floats(4), { k: 1, candidates: Uint32Array.of(0, 3) }),
    details: { position: 1, document: 3, rows: 3 },
  },
  {
    what: 'candidates that are no Uint32Array',
    code: 'INVALID_ARGUMENT',
    run: (_, multi) => multi.search(floats(4), { k: 1, candidates: wrong([0]) }),
  },
  {
    what: 'explain that is no boolean',
    code: 'INVALID_ARGUMENT',
    run: (_, multi) => multi.search(floats(4), { k: 1, explain: wrong('yes') }),
  },
  {
    what: 'a misspelt option of a search',
    code: 'INVALID_ARGUMENT',
    run: (flat) => flat.search(floats(4), wrong({ k: 1, temprature: 1 })),
    details: { option: 'temprature' },
    message: /unknown option 'temprature'; known are k, temperature/,
  },
  {
    what: 'an option of the other index',
    code: 'INVALID_ARGUMENT',
    run: (flat) => flat.search(floats(4), wrong({ k: 1, explain: true })),
  },
  {
    what: 'no options for a search',
    code: 'INVALID_ARGUMENT',
    run: (flat) => flat.search(floats(4), wrong(null)),
  },
  {
    what: 'a signal that is none',
    code: 'INVALID_ARGUMENT',
    run: (flat) => flat.search(floats(4), { k: 1, signal: wrong({}) }),
  },
  {
    what: 'adding with a signal that fired',
    code: 'ABORTED',
    run: (flat) => flat.add(floats(4), { signal: AbortSignal.abort() }),
  },
  {
    what: 'searching with a signal that fired',
    code: 'ABORTED',
    run: (_, multi) => multi.search(floats(4), { k: 1, signal: AbortSignal.abort() }),
  },
  {
    what: 'searching on a device that is none',
    code: 'INVALID_ARGUMENT',
    run: (_, multi) => multi.search(floats(4), { k: 1, device: wrong('tpu') }),
    message: /device must be one of auto, cpu, cuda, got tpu/,
  },
  {
    what: 'a result that is too large',
    code: 'OUT_OF_MEMORY',
    run: (flat) => flat.search(floats(4 * 26_843_546), { k: 10 }),
    details: { places: 268_435_460 },
  },
  {
    what: 'an explanation that is too large',
    code: 'OUT_OF_MEMORY',
    run: (_, multi) => multi.search(floats(4 * 89_478_486), { k: 3, explain: true }),
  },
  // Softmax
  { what: 'softmax of nothing', code: 'LENGTH_MISMATCH', run: () => topKSoftmax(floats(0), { k: 1 }) },
  ...[0, 5, 1.5, undefined].map(
    (k): Misuse => ({
      what: `softmax with k ${k} of 4`,
      code: 'K_OUT_OF_RANGE',
      run: () => topKSoftmax(floats(4), { k: wrong(k) }),
    }),
  ),
  {
    what: 'softmax of an array',
    code: 'INVALID_ARGUMENT',
    run: () => topKSoftmax(wrong([1, 2]), { k: 1 }),
  },
  {
    what: 'a misspelt option of softmax',
    code: 'INVALID_ARGUMENT',
    run: () => topKSoftmax(floats(4), wrong({ K: 1 })),
    details: { option: 'K' },
  },
  // After the end
  ...(['add', 'search'] as const).map(
    (method): Misuse => ({
      what: `${method} after dispose`,
      code: 'INDEX_DISPOSED',
      run: async () => {
        const index = await flat();
        index.dispose();
        return method === 'add' ? index.add(floats(4)) : index.search(floats(4), { k: 1 });
      },
    }),
  ),
];
