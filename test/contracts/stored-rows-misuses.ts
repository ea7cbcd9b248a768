/** Misuses of what an index keeps of its rows: dtype, biases, removal. */
import { FlatIndex } from '../../src/index.js';
import { floats, type Misuse, withValue, wrong } from './misuses.js';

export const STORED_ROWS_MISUSES: Misuse[] = [
  ...['float32', 'F16', 1, null].map(
    (dtype): Misuse => ({
      what: `dtype ${dtype}`,
      code: 'INVALID_ARGUMENT',
      run: () => new FlatIndex({ dimension: 4, dtype: wrong(dtype) }),
      message: /dtype must be one of f32, f16, bf16/,
    }),
  ),
  {
    what: 'a number that float16 cannot hold',
    code: 'NOT_FINITE',
    run: () => new FlatIndex({ dimension: 4, dtype: 'f16' }).add(withValue(8, 6, 1e6)),
    details: { row: 1, column: 2 },
    message: /1000000, which float16 cannot hold/,
  },
  ...[floats(9), floats(0)].map(
    (biases): Misuse => ({
      what: `${biases.length} biases for ten rows`,
      code: 'LENGTH_MISMATCH',
      run: (flat) => flat.add(floats(40), { biases }),
      details: { length: biases.length, rows: 10 },
    }),
  ),
  {
    what: 'biases of documents that are not a Float32Array',
    code: 'INVALID_ARGUMENT',
    run: (_, multi) => multi.add(floats(8), Uint32Array.of(2), { biases: wrong([1]) }),
  },
  {
    what: 'a bias that is infinite',
    code: 'NOT_FINITE',
    run: (flat) => flat.add(floats(8), { biases: Float32Array.of(0, Number.POSITIVE_INFINITY) }),
    details: { row: 1 },
    message: /the bias of row 1 is Infinity/,
  },
  ...[-1, 1.5, 2 ** 32, '10'].map(
    (vectors): Misuse => ({
      what: `reserving ${JSON.stringify(vectors)} vectors`,
      code: 'INVALID_ARGUMENT',
      run: (flat) => flat.reserve(wrong(vectors)),
      message: /vectors must be an integer from 0 to 4294967295/,
    }),
  ),
  {
    what: 'reserving more than there is',
    code: 'OUT_OF_MEMORY',
    run: () => new FlatIndex({ dimension: 65_536 }).reserve(2 ** 32 - 1),
    message: /4294967295 vectors need \d+ bytes of memory, and \d+ are available/,
  },
  {
    what: 'removing a row that never was',
    code: 'ROW_NOT_FOUND',
    run: (flat) => flat.remove(Uint32Array.of(9, 10)),
    details: { row: 10 },
  },
  {
    what: 'removing a document that never was',
    code: 'ROW_NOT_FOUND',
    run: (_, multi) => multi.remove(Uint32Array.of(3)),
  },
  {
    what: 'removing rows by an array of numbers',
    code: 'INVALID_ARGUMENT',
    run: (flat) => flat.remove(wrong([1])),
  },
  {
    what: 'reading a row that never was',
    code: 'ROW_NOT_FOUND',
    run: (flat) => flat.read(Uint32Array.of(9, 10)),
    details: { row: 10 },
    message: /row 10 is not one of the 10 rows/,
  },
  {
    what: 'reading a document that never was',
    code: 'ROW_NOT_FOUND',
    run: (_, multi) => multi.read(Uint32Array.of(3)),
    details: { row: 3 },
  },
  {
    what: 'reading rows by an array of numbers',
    code: 'INVALID_ARGUMENT',
    run: (flat) => flat.read(wrong([1])),
  },
  {
    what: 'reading more than one result holds',
    code: 'OUT_OF_MEMORY',
    run: (flat) => flat.read(new Uint32Array(2 ** 26 + 1)),
    message: /at most 268435456 numbers, this one 67108865 vectors of 4; divide the rows/,
  },
  {
    what: 'reading when it was aborted already',
    code: 'ABORTED',
    run: (_, multi) => multi.read(Uint32Array.of(1), { signal: AbortSignal.abort() }),
  },
  {
    what: 'reading from an index that was disposed of',
    code: 'INDEX_DISPOSED',
    run: async () => {
      const index = new FlatIndex({ dimension: 4 });
      index.dispose();
      await index.read(Uint32Array.of(0));
    },
  },
  {
    what: 'a misspelt option of a compaction',
    code: 'INVALID_ARGUMENT',
    run: (flat) => flat.compact(wrong({ threads: 1 })),
  },
];
