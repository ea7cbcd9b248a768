/** A thread that writes a part of a file of rows; see dataset.mjs. */
import { closeSync, fsyncSync, openSync, writeSync } from 'node:fs';
import { workerData } from 'node:worker_threads';
import { SeededVectors } from '../dist/esm/cli/bench/seeded-vectors.js';
import { SeededWords } from './seeded-words.mjs';

const PIECE_BYTES = 4 * 2 ** 20;

const { path, dimension, words, queries, seed, place, firstRow, rows } = workerData;
const seeded = words
  ? new SeededWords(seed, place + firstRow, queries)
  : new SeededVectors(dimension, seed, place + firstRow);
const file = openSync(path, 'r+');
const perPiece = Math.max(1, Math.floor(PIECE_BYTES / 4 / dimension));
const buffer = new Float32Array(Math.min(perPiece, rows) * dimension);
for (let row = 0; row < rows; row += perPiece) {
  const piece = buffer.subarray(0, Math.min(perPiece, rows - row) * dimension);
  seeded.fill(piece);
  const bytes = new Uint8Array(piece.buffer, 0, piece.byteLength);
  const start = (firstRow + row) * dimension * 4;
  for (let done = 0; done < bytes.length; ) {
    done += writeSync(file, bytes, done, bytes.length - done, start + done);
  }
}
// What is still to be written would be written while contenders are timed.
fsyncSync(file);
closeSync(file);
