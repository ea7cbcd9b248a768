/**
 * Vectors and queries as raw float32 files, written once by the parent and read by every contender.
 */
import { closeSync, mkdirSync, openSync, readSync, rmSync, statSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { SeededVectors } from '../dist/esm/cli/bench/seeded-vectors.js';

const PIECE_BYTES = 16 * 2 ** 20;
const SEED = 20_240_613;

/** Writes a dataset's two files into a folder of its own under `folder`. */
export function writeDataset(folder, dataset) {
  const own = join(folder, dataset.key);
  mkdirSync(own);
  const seeded = new SeededVectors(dataset.dimension, SEED);
  const files = { vectors: join(own, 'vectors.f32'), queries: join(own, 'queries.f32') };
  writeVectors(files.vectors, seeded, dataset.rows, dataset.dimension);
  writeVectors(files.queries, seeded, dataset.queryRows, dataset.dimension);
  return { ...dataset, ...files, remove: () => rmSync(own, { recursive: true, force: true }) };
}

function writeVectors(path, seeded, rows, dimension) {
  const file = openSync(path, 'w');
  const perPiece = Math.max(1, Math.floor(PIECE_BYTES / 4 / dimension));
  for (let row = 0; row < rows; row += perPiece) {
    const piece = new Float32Array(Math.min(perPiece, rows - row) * dimension);
    seeded.fill(piece);
    const bytes = new Uint8Array(piece.buffer);
    for (let done = 0; done < bytes.length; ) done += writeSync(file, bytes, done);
  }
  closeSync(file);
}

/** The vectors in pieces of whole rows; `firstRow` is that of the piece. */
export function* pieces(dataset, bytes = PIECE_BYTES) {
  const perPiece = Math.max(1, Math.floor(bytes / 4 / dataset.dimension));
  const file = openSync(dataset.vectors, 'r');
  try {
    for (let row = 0; row < dataset.rows; row += perPiece) {
      const rows = Math.min(perPiece, dataset.rows - row);
      const values = new Float32Array(rows * dataset.dimension);
      readInto(file, values, row * dataset.dimension * 4);
      yield { firstRow: row, values };
    }
  } finally {
    closeSync(file);
  }
}

/** Some rows. */
export function readRows(dataset, firstRow, rows) {
  const file = openSync(dataset.vectors, 'r');
  const values = new Float32Array(rows * dataset.dimension);
  readInto(file, values, firstRow * dataset.dimension * 4);
  closeSync(file);
  return values;
}

/** All vectors in one array. */
export function allVectors(dataset) {
  return readRows(dataset, 0, dataset.rows);
}

/** All query vectors. */
export function allQueries(dataset) {
  const values = new Float32Array(statSync(dataset.queries).size / 4);
  const file = openSync(dataset.queries, 'r');
  readInto(file, values, 0);
  closeSync(file);
  return values;
}

function readInto(file, values, position) {
  const bytes = new Uint8Array(values.buffer);
  for (let done = 0; done < bytes.length; ) {
    const read = readSync(file, bytes, done, Math.min(2 ** 30, bytes.length - done), position + done);
    if (read === 0) throw new Error('a file of the benchmark ended early');
    done += read;
  }
}
