import { GranuleError } from '../../errors.js';
import { checkFloat32 } from '../../index/arguments.js';
import type { Matrix } from '../../vectors/matrix.js';

/** Lanes of the reference arithmetic. */
const LANES = 8;

/** Query and document vectors that are multiplied at a time: their sums stay in registers. */
const QUERY_BLOCK = 4;
const DOCUMENT_BLOCK = 2;

/** Vectors widened to float64 and laid out lane by lane: vector v has in lane l the numbers l, l + 8, l + 16, ... */
export interface LaneMajorVectors {
  /** Vectors, padded with zeros to whole blocks, x 8 lanes x `width`. */
  readonly data: Float64Array;
  readonly rows: number;
  readonly columns: number;
  /** Numbers of a lane. */
  readonly width: number;
}

/**
 * Similarities of every query vector with every document vector: the inner products of the reference arithmetic (float64
 * over eight lanes, lane l adding the products of elements l, l + 8, ..., then ((0+1)+(2+3)) + ((4+5)+(6+7))), each rounded
 * once to float32, as `FlatIndex` and `MultiVectorIndex` score. O(n_q n_d d).
 *
 * @param query - n_q x d finite values
 * @param document - n_d x d finite values; n_d may be 0
 * @returns n_q x n_d
 * @throws GranuleError `INVALID_ARGUMENT`, `LENGTH_MISMATCH` (also for a query without vectors); `NOT_FINITE` where a similarity
 * is beyond float32 or of a value that is not finite, `details.row` the query vector, `details.column` the document vector
 */
export function similarityTile(query: Matrix, document: Matrix): Matrix {
  if (document.columns !== query.columns) {
    throw new GranuleError(
      'LENGTH_MISMATCH',
      `the document's vectors have ${document.columns} numbers, the query's ${query.columns}`,
      { columns: document.columns },
    );
  }
  return tileOf(queryLanes(query), checkedData(document, 'document'));
}

/** The vectors of a query, for any number of documents. */
export function queryLanes(query: Matrix): LaneMajorVectors {
  const data = checkedData(query, 'query');
  if (query.rows === 0) throw new GranuleError('LENGTH_MISMATCH', 'the query has no vectors');
  return laneMajor(data, query.columns, QUERY_BLOCK);
}

/** `similarityTile` of vectors that lie lane by lane with the vectors in `document`. */
export function tileOf(query: LaneMajorVectors, document: Float32Array): Matrix {
  const vectors = laneMajor(document, query.columns, DOCUMENT_BLOCK);
  const data = new Float32Array(query.rows * vectors.rows);
  const block = new Float64Array(QUERY_BLOCK * DOCUMENT_BLOCK * LANES);
  for (let j = 0; j < vectors.rows; j += DOCUMENT_BLOCK) {
    for (let i = 0; i < query.rows; i += QUERY_BLOCK) {
      multiplyBlock(query, i, vectors, j, block);
      const endQuery = Math.min(i + QUERY_BLOCK, query.rows);
      const endDocument = Math.min(j + DOCUMENT_BLOCK, vectors.rows);
      for (let a = i; a < endQuery; a++) {
        for (let b = j; b < endDocument; b++) {
          const similarity = Math.fround(addLanes(block, ((a - i) * DOCUMENT_BLOCK + b - j) * LANES));
          if (!Number.isFinite(similarity)) throw notFinite(similarity, a, b);
          data[a * vectors.rows + b] = similarity;
        }
      }
    }
  }
  return { data, rows: query.rows, columns: vectors.rows };
}

/** The sums of every lane, for 4 query vectors from i on and 2 document vectors from j on. */
function multiplyBlock(
  { data: q, width }: LaneMajorVectors,
  i: number,
  { data: x }: LaneMajorVectors,
  j: number,
  block: Float64Array,
): void {
  const vector = LANES * width;
  for (let lane = 0; lane < LANES; lane++) {
    let q0 = (i * LANES + lane) * width;
    let q1 = q0 + vector;
    let q2 = q1 + vector;
    let q3 = q2 + vector;
    let x0 = (j * LANES + lane) * width;
    let x1 = x0 + vector;
    let s00 = 0;
    let s01 = 0;
    let s10 = 0;
    let s11 = 0;
    let s20 = 0;
    let s21 = 0;
    let s30 = 0;
    let s31 = 0;
    for (const end = q0 + width; q0 < end; q0++, q1++, q2++, q3++, x0++, x1++) {
      const u = x[x0]!;
      const v = x[x1]!;
      const a = q[q0]!;
      const b = q[q1]!;
      const c = q[q2]!;
      const d = q[q3]!;
      s00 += a * u;
      s01 += a * v;
      s10 += b * u;
      s11 += b * v;
      s20 += c * u;
      s21 += c * v;
      s30 += d * u;
      s31 += d * v;
    }
    block[lane] = s00;
    block[LANES + lane] = s01;
    block[2 * LANES + lane] = s10;
    block[3 * LANES + lane] = s11;
    block[4 * LANES + lane] = s20;
    block[5 * LANES + lane] = s21;
    block[6 * LANES + lane] = s30;
    block[7 * LANES + lane] = s31;
  }
}

function addLanes(s: Float64Array, at: number): number {
  return (
    s[at]! + s[at + 1]! + (s[at + 2]! + s[at + 3]!) + (s[at + 4]! + s[at + 5]! + (s[at + 6]! + s[at + 7]!))
  );
}

function laneMajor(vectors: Float32Array, columns: number, block: number): LaneMajorVectors {
  const rows = vectors.length / columns;
  const width = Math.ceil(columns / LANES);
  const data = new Float64Array(Math.ceil(rows / block) * block * LANES * width);
  for (let row = 0; row < rows; row++) {
    for (let lane = 0; lane < LANES; lane++) {
      let to = (row * LANES + lane) * width;
      for (let k = lane; k < columns; k += LANES, to++) data[to] = vectors[row * columns + k]!;
    }
  }
  return { data, rows, columns, width };
}

function checkedData({ data, rows, columns }: Matrix, name: string): Float32Array {
  checkFloat32(data, `${name}.data`);
  if (!Number.isSafeInteger(columns) || columns < 1 || rows * columns !== data.length) {
    throw new GranuleError(
      'LENGTH_MISMATCH',
      `${name} is a matrix of ${rows} x ${columns} with ${data.length} values`,
      { length: data.length },
    );
  }
  return data;
}

function notFinite(similarity: number, row: number, column: number): GranuleError {
  return new GranuleError(
    'NOT_FINITE',
    `the similarity of query vector ${row} and document vector ${column} is ${similarity}`,
    { row, column },
  );
}
