/**
 * Vectors and queries, or passages and queries as the numbers of their words, as raw float32 files, written once by the parent and read by every contender.
 */
import { closeSync, mkdirSync, openSync, readSync, rmSync, statfsSync, statSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';

const PIECE_BYTES = 16 * 2 ** 20;
const WRITER = new URL('vector-writer.mjs', import.meta.url);
const SEED = 20_240_613;
/** Fewer rows than this are not worth a thread. */
const LEAST_VALUES_PER_THREAD = 2 ** 22;

/**
 * Writes a dataset's two files into a folder of its own under `folder`, on all cores.
 *
 * @throws Error where the disk has no room for them
 */
export async function writeDataset(folder, dataset) {
  const bytes = (dataset.rows + dataset.queryRows) * dataset.dimension * 4;
  const { bavail, bsize } = statfsSync(folder);
  if (bytes > bavail * bsize) {
    throw new Error(`the vectors take ${bytes} bytes, and ${folder} has room for ${bavail * bsize}`);
  }
  const own = join(folder, dataset.key);
  mkdirSync(own);
  const files = { vectors: join(own, 'vectors.f32'), queries: join(own, 'queries.f32') };
  await writeRows(files.vectors, dataset, { place: 0, rows: dataset.rows, queries: false });
  await writeRows(files.queries, dataset, { place: dataset.rows, rows: dataset.queryRows, queries: true });
  return { ...dataset, ...files, remove: () => rmSync(own, { recursive: true, force: true }) };
}

/** @param place of the first row in the sequence of vectors */
async function writeRows(path, { dimension, words = false }, { place, rows, queries }) {
  closeSync(openSync(path, 'w'));
  const threads = Math.min(
    availableParallelism(),
    Math.max(1, Math.floor((rows * dimension) / LEAST_VALUES_PER_THREAD)),
  );
  const perThread = Math.ceil(rows / threads);
  const parts = Array.from({ length: threads }, (_, i) => ({
    firstRow: i * perThread,
    rows: Math.min(perThread, rows - i * perThread),
  }));
  await Promise.all(
    parts.map(
      (part) =>
        new Promise((resolve, reject) => {
          const worker = new Worker(WRITER, {
            workerData: { path, dimension, words, queries, seed: SEED, place, ...part },
          });
          worker.on('error', reject);
          worker.on('exit', resolve);
        }),
    ),
  );
}

/**
 * The vectors in pieces of whole rows; `firstRow` is that of the piece. Pieces lie in one buffer, so that each holds only
 * until the next is asked for, and the process does not grow with what it has read.
 */
export function* pieces(dataset, bytes = PIECE_BYTES) {
  const perPiece = Math.min(dataset.rows, Math.max(1, Math.floor(bytes / 4 / dataset.dimension)));
  const buffer = new Float32Array(perPiece * dataset.dimension);
  const file = openSync(dataset.vectors, 'r');
  try {
    for (let row = 0; row < dataset.rows; row += perPiece) {
      const values = buffer.subarray(0, Math.min(perPiece, dataset.rows - row) * dataset.dimension);
      readInto(file, values, row * dataset.dimension * 4);
      yield { firstRow: row, values };
    }
  } finally {
    closeSync(file);
  }
}

/** Some rows. */
export function readRows(dataset, firstRow, rows) {
  return readFile(dataset.vectors, firstRow * dataset.dimension, rows * dataset.dimension);
}

/** All vectors in one array. */
export function allVectors(dataset) {
  return readRows(dataset, 0, dataset.rows);
}

/** All query vectors. */
export function allQueries(dataset) {
  return readFile(dataset.queries, 0, statSync(dataset.queries).size / 4);
}

function readFile(path, first, count) {
  const values = new Float32Array(count);
  const file = openSync(path, 'r');
  readInto(file, values, first * 4);
  closeSync(file);
  return values;
}

function readInto(file, values, position) {
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  for (let done = 0; done < bytes.length; ) {
    const read = readSync(file, bytes, done, Math.min(2 ** 30, bytes.length - done), position + done);
    if (read === 0) throw new Error('a file of the benchmark ended early');
    done += read;
  }
}
